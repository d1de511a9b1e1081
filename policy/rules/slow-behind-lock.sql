setup
CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1); CREATE TABLE empty (a int); CREATE TABLE orders (id int); INSERT INTO orders VALUES (1);
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM users; ANALYZE users, orders
----

begin
ALTER TABLE users ADD COLUMN nick text
----

# Nobody can use the table until every row is changed.
check
UPDATE users SET nick = name
----
block
  UPDATE of "users" runs while this transaction keeps others waiting; change the data in a transaction of its own
  detail: It holds locks on public.users (AccessExclusiveLock) until it ends.
  hint: COMMIT before it, or put it into a migration of its own.

# By a value it may be one row only.
check
UPDATE users SET nick = 'x' WHERE id = 1
----
pass

check
UPDATE users SET nick = name WHERE nick IS NULL
----
warn
  UPDATE of "users" runs while this transaction keeps others waiting; change the data in a transaction of its own
  detail: It holds locks on public.users (AccessExclusiveLock) until it ends.
  hint: COMMIT before it, or put it into a migration of its own.

check
DELETE FROM orders WHERE 1 = 1
----
block
  DELETE of "orders" runs while this transaction keeps others waiting; change the data in a transaction of its own
  detail: It holds locks on public.users (AccessExclusiveLock) until it ends.
  hint: COMMIT before it, or put it into a migration of its own.

check
UPDATE empty SET a = 1
----
pass

check small
UPDATE users SET nick = name
----
pass

check
INSERT INTO users VALUES (2)
----
pass

check small
INSERT INTO users SELECT id + 10 FROM users
----
pass

check small rows=2000000
INSERT INTO users SELECT id + 10 FROM users
----
warn
  filling "users" runs while this transaction keeps others waiting; do it in a transaction of its own
  detail: It holds locks on public.users (AccessExclusiveLock) until it ends.
  hint: COMMIT before it, or put it into a migration of its own.

check
REFRESH MATERIALIZED VIEW counted
----
warn
  REFRESH MATERIALIZED VIEW of "counted" runs while this transaction keeps others waiting; do it in a transaction of its own
  detail: It holds locks on public.users (AccessExclusiveLock) until it ends.
  hint: COMMIT before it, or put it into a migration of its own.

check
CREATE TABLE copied AS SELECT * FROM orders
----
warn
  filling "copied" runs while this transaction keeps others waiting; do it in a transaction of its own
  detail: It holds locks on public.users (AccessExclusiveLock) until it ends.
  hint: COMMIT before it, or put it into a migration of its own.

check
CREATE MATERIALIZED VIEW copied AS SELECT * FROM orders
----
warn
  CREATE MATERIALIZED VIEW of "copied" runs while this transaction keeps others waiting; do it in a transaction of its own
  detail: It holds locks on public.users (AccessExclusiveLock) until it ends.
  hint: COMMIT before it, or put it into a migration of its own.

check
CREATE MATERIALIZED VIEW copied AS SELECT * FROM orders WITH NO DATA
----
pass

check
CREATE TABLE copied AS SELECT 1 AS a
----
pass

check
ANALYZE orders
----
pass

# A migration tool's own table is small.
setup
CREATE TABLE alembic_version (version_num character varying(32) NOT NULL PRIMARY KEY); INSERT INTO alembic_version VALUES ('a')
----

check
UPDATE alembic_version SET version_num = 'b'
----
pass

check unknown
UPDATE users SET nick = name
----
pass

rollback
----

# It holds nothing that others wait for.
begin
CREATE TABLE fresh AS SELECT * FROM users
----

check
UPDATE users SET name = 'x'
----
pass

rollback
----

check
UPDATE users SET name = 'x'
----
pass

locks
ALTER TABLE users ADD COLUMN nick text; UPDATE users SET nick = name
----
users AccessExclusiveLock
users RowExclusiveLock
users_pkey RowExclusiveLock
