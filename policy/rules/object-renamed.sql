setup
CREATE SCHEMA app; CREATE TABLE app.users (id int); INSERT INTO app.users VALUES (1); CREATE SCHEMA bare; CREATE TABLE empty (a int);
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE people (m mood, ms mood[]); INSERT INTO people VALUES ('ok'); CREATE TYPE unused AS ENUM ('x'); CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE counted; ANALYZE app.users
----

# Every qualified name means nothing any more.
check
ALTER SCHEMA app RENAME TO application
----

check
ALTER SCHEMA bare RENAME TO naked
----

locks
ALTER SCHEMA app RENAME TO application
----

check
ALTER TABLE app.users SET SCHEMA public
----

locks
ALTER TABLE app.users SET SCHEMA public
----

check
ALTER TABLE empty SET SCHEMA app
----

# Code writes the old label.
check
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'
----

locks
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'
----

check
ALTER TYPE unused RENAME VALUE 'x' TO 'y'
----

check
ALTER TYPE mood ADD VALUE 'happy'
----

check
ALTER TYPE mood RENAME TO feeling
----

check
ALTER TYPE mood SET SCHEMA app
----

check
ALTER TYPE pair RENAME ATTRIBUTE a TO c
----

check
ALTER FUNCTION f() RENAME TO g
----

check
ALTER SEQUENCE counted RENAME TO numbers
----

check
ALTER DATABASE production RENAME TO prod
----

check
ALTER ROLE app RENAME TO application
----

begin
CREATE SCHEMA fresh; CREATE TABLE fresh.t AS SELECT 1 AS a; CREATE TYPE newer AS ENUM ('x'); CREATE SEQUENCE latest
----

check
ALTER SCHEMA fresh RENAME TO older
----

check
ALTER TABLE fresh.t SET SCHEMA public
----

check
ALTER TYPE newer RENAME VALUE 'x' TO 'y'
----

check
ALTER TYPE newer RENAME TO older
----

check
ALTER SEQUENCE latest RENAME TO older
----

rollback
----

# No query uses these names.
check
ALTER TABLE app.users RENAME CONSTRAINT a TO b
----

check unknown
ALTER SCHEMA app RENAME TO application
----

check unknown
ALTER TABLE app.users SET SCHEMA public
----

check unknown
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'
----
