setup
CREATE TABLE users (id int)
----

check action=warn
CREATE TABLE logs (a int)
----
warn
  CREATE TABLE logs fails when the migration is run again after a failure; write CREATE TABLE IF NOT EXISTS

check
CREATE TABLE IF NOT EXISTS logs (a int)
----
pass

check
DROP TABLE users
----
block
  DROP TABLE users fails when the migration is run again after a failure; write DROP TABLE IF EXISTS

check
DROP TABLE IF EXISTS users
----
pass

check
ALTER TABLE users ADD COLUMN a int, DROP COLUMN b, DROP CONSTRAINT c
----
block
  ADD COLUMN a of users fails when the migration is run again after a failure; write ADD COLUMN IF NOT EXISTS
  DROP COLUMN b of users fails when the migration is run again after a failure; write DROP COLUMN IF EXISTS
  DROP CONSTRAINT c of users fails when the migration is run again after a failure; write DROP CONSTRAINT IF EXISTS

check
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int, DROP COLUMN IF EXISTS b, DROP CONSTRAINT IF EXISTS c
----
pass

check
ALTER TYPE mood ADD VALUE 'x'
----
block
  ADD VALUE x of mood fails when the migration is run again after a failure; write ADD VALUE IF NOT EXISTS

# An INVALID leftover would count as existing.
check
CREATE INDEX CONCURRENTLY users_id ON users (id)
----
pass

check
CREATE TEMPORARY TABLE scratch (a int)
----
pass

# Nothing is left of a transaction that fails.
begin
----

check
CREATE TABLE logs (a int)
----
pass

rollback
----

# Even what does nothing takes its lock.
locks
ALTER TABLE users ADD COLUMN IF NOT EXISTS id int
----
users AccessExclusiveLock
