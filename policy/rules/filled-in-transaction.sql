setup
CREATE TABLE users AS SELECT g AS id, g::text AS name FROM generate_series(1, 100) g; CREATE TABLE empty (a int); CREATE VIEW seen AS SELECT * FROM users; ANALYZE users
----

# It is over when the statement is.
check
CREATE TABLE copy AS SELECT * FROM users
----
pass

begin
----

check
CREATE TABLE copy AS SELECT * FROM users JOIN empty ON a = id
----
warn
  filling "copy" from "users" keeps vacuum from cleaning up until the COMMIT; fill it in a transaction of its own
  detail: Table public.users has about 100 rows, 16 kB.

check
SELECT * INTO copy FROM users
----
warn
  filling "copy" from "users" keeps vacuum from cleaning up until the COMMIT; fill it in a transaction of its own
  detail: Table public.users has about 100 rows, 16 kB.

check
CREATE MATERIALIZED VIEW copy AS SELECT * FROM users
----
warn
  filling "copy" from "users" keeps vacuum from cleaning up until the COMMIT; fill it in a transaction of its own
  detail: Table public.users has about 100 rows, 16 kB.

check unknown
CREATE TABLE copy AS SELECT * FROM users
----
warn
  filling "copy" from "users" keeps vacuum from cleaning up until the COMMIT; fill it in a transaction of its own
  unknown: the size of "users"

check
CREATE MATERIALIZED VIEW copy AS SELECT * FROM users WITH NO DATA
----
pass

check
CREATE TABLE copy AS SELECT * FROM empty
----
pass

check
CREATE TABLE copy AS SELECT * FROM generate_series(1, 10)
----
pass

check small
CREATE TABLE copy AS SELECT * FROM users
----
pass

check
CREATE TABLE copy AS SELECT * FROM missing
----
pass

rollback
----

locks
CREATE TABLE copy AS SELECT * FROM users
----
copy AccessExclusiveLock
users AccessShareLock
