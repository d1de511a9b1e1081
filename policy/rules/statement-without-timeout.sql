setup
CREATE TABLE users (id int); CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)
----

check
ALTER TABLE users ADD COLUMN email text
----
block
  nothing bounds how long this holds AccessExclusiveLock on "users"; SET statement_timeout before it
  hint: SET statement_timeout = '30s';
    ALTER TABLE users ADD COLUMN email text;

check timeout=0
CREATE INDEX ON users (id)
----
block
  nothing bounds how long this holds ShareLock on "users"; SET statement_timeout before it
  hint: SET statement_timeout = '30s';
    CREATE INDEX ON users (id);

check unknown
ALTER TABLE users ADD COLUMN email text
----
block
  nothing bounds how long this holds AccessExclusiveLock on "users"; SET statement_timeout before it
  hint: SET statement_timeout = '30s';
    ALTER TABLE users ADD COLUMN email text;
  unknown: statement_timeout of the session

check timeout=30s
ALTER TABLE users ADD COLUMN email text
----
pass

check
CREATE INDEX CONCURRENTLY ON users (id)
----
pass

check
TRUNCATE schema_migrations
----
pass

begin
CREATE TABLE fresh (a int)
----

check
ALTER TABLE fresh ADD COLUMN b int
----
pass

rollback
----

locks
ALTER TABLE users ADD COLUMN email text
----
users AccessExclusiveLock
