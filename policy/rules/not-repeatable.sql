setup
CREATE TABLE users (id int)
----

check action=warn
CREATE TABLE logs (a int)
----

check
CREATE TABLE IF NOT EXISTS logs (a int)
----

check
DROP TABLE users
----

check
DROP TABLE IF EXISTS users
----

check
ALTER TABLE users ADD COLUMN a int, DROP COLUMN b, DROP CONSTRAINT c
----

check
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int, DROP COLUMN IF EXISTS b, DROP CONSTRAINT IF EXISTS c
----

check
ALTER TYPE mood ADD VALUE 'x'
----

# An INVALID leftover would count as existing.
check
CREATE INDEX CONCURRENTLY users_id ON users (id)
----

check
CREATE TEMPORARY TABLE scratch (a int)
----

# Nothing is left of a transaction that fails.
begin
----

check
CREATE TABLE logs (a int)
----

rollback
----

# Even what does nothing takes its lock.
locks
ALTER TABLE users ADD COLUMN IF NOT EXISTS id int
----
