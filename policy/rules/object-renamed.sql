setup
CREATE SCHEMA app; CREATE TABLE app.users (id int); INSERT INTO app.users VALUES (1); CREATE SCHEMA bare; CREATE TABLE empty (a int);
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE people (m mood, ms mood[]); INSERT INTO people VALUES ('ok'); CREATE TYPE unused AS ENUM ('x'); CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE counted; ANALYZE app.users
----

# Every qualified name means nothing any more.
check
ALTER SCHEMA app RENAME TO application
----
block
  renaming schema "app" breaks every qualified name and search_path that uses it; make schema "application" beside it and move over step by step
  detail: It has 1 table.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow object-renamed reason="..." */ ALTER SCHEMA app RENAME TO application;

check
ALTER SCHEMA bare RENAME TO naked
----
pass

locks
ALTER SCHEMA app RENAME TO application
----
(none)

check
ALTER TABLE app.users SET SCHEMA public
----
block
  moving table app.users to schema "public" breaks code that uses its old place; make a new one there and move over step by step
  detail: Table app.users has about 1 rows, 8192 bytes.
  hint: Where code must go on finding it: BEGIN; ALTER TABLE app.users SET SCHEMA public; CREATE VIEW app.users AS SELECT * FROM public.users; COMMIT;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow object-renamed reason="..." */ ALTER TABLE app.users SET SCHEMA public;

locks
ALTER TABLE app.users SET SCHEMA public
----
users AccessExclusiveLock

check
ALTER TABLE empty SET SCHEMA app
----
pass

# Code writes the old label.
check
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'
----
block
  renaming value "sad" of type mood breaks code that writes or compares it; add value "blue", move the rows over, and leave the old one
  detail: It is the type of column public.people.m and column public.people.ms.
  hint: 1. ALTER TYPE mood ADD VALUE 'blue' AFTER 'sad';
    2. Release code that knows both values; move the rows in batches.
    3. Release code that uses 'blue' only. The old label stays, unused.
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow object-renamed reason="..." */ ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';

locks
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'
----
(none)

check
ALTER TYPE unused RENAME VALUE 'x' TO 'y'
----
pass

check
ALTER TYPE mood ADD VALUE 'happy'
----
pass

check
ALTER TYPE mood RENAME TO feeling
----
warn
  renaming type mood to "feeling" breaks code that uses the old name; release code that knows the new one first

check
ALTER TYPE mood SET SCHEMA app
----
warn
  moving type mood to schema "app" breaks code that uses its old place; make a new one there and move over step by step

check
ALTER TYPE pair RENAME ATTRIBUTE a TO c
----
warn
  renaming attribute "a" of type pair breaks code that uses the old name; release code that knows both names first

check
ALTER FUNCTION f() RENAME TO g
----
warn
  renaming function f to "g" breaks code that uses the old name; release code that knows the new one first

check
ALTER SEQUENCE counted RENAME TO numbers
----
warn
  renaming sequence counted to "numbers" breaks code that uses the old name; release code that knows the new one first

check
ALTER DATABASE production RENAME TO prod
----
block
  renaming database "production" breaks every connection string that names it; do it while nothing is connected
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow object-renamed reason="..." */ ALTER DATABASE production RENAME TO prod;

check
ALTER ROLE app RENAME TO application
----
warn
  renaming role "app" breaks every login that uses the name, and an MD5 password is lost; make a new role and grant it the old one

begin
CREATE SCHEMA fresh; CREATE TABLE fresh.t AS SELECT 1 AS a; CREATE TYPE newer AS ENUM ('x'); CREATE SEQUENCE latest
----

check
ALTER SCHEMA fresh RENAME TO older
----
pass

check
ALTER TABLE fresh.t SET SCHEMA public
----
pass

check
ALTER TYPE newer RENAME VALUE 'x' TO 'y'
----
pass

check
ALTER TYPE newer RENAME TO older
----
pass

check
ALTER SEQUENCE latest RENAME TO older
----
pass

rollback
----

# No query uses these names.
check
ALTER TABLE app.users RENAME CONSTRAINT a TO b
----
pass

check unknown
ALTER SCHEMA app RENAME TO application
----
block
  renaming schema "app" breaks every qualified name and search_path that uses it; make schema "application" beside it and move over step by step
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow object-renamed reason="..." */ ALTER SCHEMA app RENAME TO application;
  unknown: what is in schema "app"

check unknown
ALTER TABLE app.users SET SCHEMA public
----
block
  moving table app.users to schema "public" breaks code that uses its old place; make a new one there and move over step by step
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow object-renamed reason="..." */ ALTER TABLE app.users SET SCHEMA public;
  unknown: whether app.users is in use: its size

check unknown
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'
----
block
  renaming value "sad" of type mood breaks code that writes or compares it; add value "blue", move the rows over, and leave the old one
  hint: 1. ALTER TYPE mood ADD VALUE 'blue' AFTER 'sad';
    2. Release code that knows both values; move the rows in batches.
    3. Release code that uses 'blue' only. The old label stays, unused.
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow object-renamed reason="..." */ ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
  unknown: which tables have columns of type mood

# ALTER TABLE renames and moves other relations, too.
setup
CREATE VIEW app.shown AS SELECT * FROM app.users
----

check
ALTER TABLE counted RENAME TO numbers
----
warn
  renaming sequence counted to "numbers" breaks code that uses the old name; release code that knows the new one first

check
ALTER TABLE app.shown SET SCHEMA bare
----
warn
  moving view app.shown to schema "bare" breaks code that uses its old place; make a new one there and move over step by step
