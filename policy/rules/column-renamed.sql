setup
CREATE TABLE users (id int PRIMARY KEY, name varchar(20)); INSERT INTO users VALUES (1); CREATE TABLE empty (a int);
CREATE VIEW seen AS SELECT id, name FROM users; ANALYZE users
----

# Old code fails after it, new code before it.
check
ALTER TABLE users RENAME COLUMN name TO "Full Name"
----
block
  renaming column "name" of "users" breaks code that uses the old name; add column "Full Name" beside it and move over step by step
  detail: Table public.users has about 1 rows, 8192 bytes. Inside the database view public.seen will follow the new name.
  hint: 1. ALTER TABLE users ADD COLUMN "Full Name" character varying(20);
    2. Release code that writes both columns; then copy what is there, in batches: UPDATE users SET "Full Name" = name WHERE "Full Name" IS DISTINCT FROM name;
    3. Release code that uses "Full Name" only; then ALTER TABLE users DROP COLUMN name;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow column-renamed reason="..." */ ALTER TABLE users RENAME COLUMN name TO "Full Name";

check
ALTER TABLE empty RENAME a TO b
----
pass

locks
ALTER TABLE users RENAME COLUMN name TO full_name
----
users AccessExclusiveLock

check
ALTER VIEW seen RENAME COLUMN name TO full_name
----
warn
  renaming column "name" of view "seen" breaks code that uses the old name; make a new view beside it

check
ALTER TABLE users RENAME COLUMN missing TO found
----
pass

begin
CREATE TABLE fresh AS SELECT 1 AS a; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
ALTER TABLE fresh RENAME COLUMN a TO b
----
pass

check
ALTER TABLE scratch RENAME COLUMN a TO b
----
pass

rollback
----

check
ALTER TABLE users RENAME CONSTRAINT users_pkey TO users_key
----
pass

check unknown
ALTER TABLE users RENAME COLUMN name TO full_name
----
block
  renaming column "name" of "users" breaks code that uses the old name; add column "full_name" beside it and move over step by step
  hint: 1. ALTER TABLE users ADD COLUMN full_name ...;
    2. Release code that writes both columns; then copy what is there, in batches: UPDATE users SET full_name = name WHERE full_name IS DISTINCT FROM name;
    3. Release code that uses full_name only; then ALTER TABLE users DROP COLUMN name;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow column-renamed reason="..." */ ALTER TABLE users RENAME COLUMN name TO full_name;
  unknown: whether "users" is in use: its size

check role
/* pgsluice:allow column-renamed reason="nothing uses it" */ ALTER TABLE users RENAME COLUMN name TO full_name
----
pass
  overridden: renaming column "name" of "users" breaks code that uses the old name; add column "full_name" beside it and move over step by step

# A materialized view gets no new column.
setup
CREATE MATERIALIZED VIEW named AS SELECT id, name FROM users
----

check
ALTER MATERIALIZED VIEW named RENAME COLUMN name TO called
----
warn
  renaming column "name" of materialized view "named" breaks code that uses the old name; make a new materialized view beside it

check
ALTER TABLE named RENAME name TO called
----
warn
  renaming column "name" of materialized view "named" breaks code that uses the old name; make a new materialized view beside it
