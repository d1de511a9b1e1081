setup
CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE, name text); INSERT INTO users VALUES (1, 'a', 'b');
CREATE TABLE orders (user_id int CONSTRAINT orders_user REFERENCES users, mail text CONSTRAINT orders_mail REFERENCES users (email)); INSERT INTO orders VALUES (1, 'a');
CREATE VIEW names AS SELECT name FROM users; CREATE VIEW more AS SELECT * FROM names;
CREATE TABLE lonely (a int PRIMARY KEY, b int); INSERT INTO lonely VALUES (1, 1);
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE people (m mood, ms mood[]); INSERT INTO people VALUES ('ok');
CREATE TYPE unused AS ENUM ('x'); CREATE TABLE hollow (u unused);
CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE TABLE counts (n positive); INSERT INTO counts VALUES (1);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER touched BEFORE INSERT ON users EXECUTE FUNCTION touch();
CREATE FUNCTION idle() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE SEQUENCE counted; CREATE TABLE numbered (n int DEFAULT nextval('counted')); CREATE SEQUENCE free
----

# Views and foreign keys of others, which the text does not show.
check
DROP TABLE users CASCADE
----
block
  DROP TABLE users CASCADE also drops foreign key orders_mail of public.orders, foreign key orders_user of public.orders, view public.names and view public.more; drop what you mean by name first, and leave CASCADE out
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow cascade-dropped reason="..." */ DROP TABLE users CASCADE;

# Nothing goes along.
check
DROP TABLE lonely CASCADE
----
pass

locks
DROP TABLE users CASCADE
----
(uncommitted) AccessExclusiveLock
orders AccessExclusiveLock

# Without it the server refuses.
check
DROP TABLE users
----
pass

check
DROP TABLE users, orders CASCADE
----
block
  DROP TABLE users CASCADE also drops view public.names and view public.more; drop what you mean by name first, and leave CASCADE out
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow cascade-dropped reason="..." */ DROP TABLE users, orders CASCADE;

check
DROP VIEW names CASCADE
----
block
  DROP VIEW names CASCADE also drops view public.more; drop what you mean by name first, and leave CASCADE out
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow cascade-dropped reason="..." */ DROP VIEW names CASCADE;

check
DROP VIEW more CASCADE
----
pass

check
ALTER TABLE users DROP COLUMN name CASCADE
----
block
  DROP COLUMN name CASCADE of users also drops view public.names and view public.more; drop what you mean by name first, and leave CASCADE out
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow cascade-dropped reason="..." */ ALTER TABLE users DROP COLUMN name CASCADE;

check
ALTER TABLE lonely DROP COLUMN b CASCADE
----
pass

# It has a rule of its own.
check
ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE
----
pass

# The columns of the type go, with their values.
check
DROP TYPE mood CASCADE
----
block
  DROP TYPE mood CASCADE also drops column public.people.m and column public.people.ms; drop what you mean by name first, and leave CASCADE out
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow cascade-dropped reason="..." */ DROP TYPE mood CASCADE;

locks
DROP TYPE mood CASCADE
----
people AccessExclusiveLock

check
DROP TYPE unused CASCADE
----
pass

check
DROP DOMAIN positive CASCADE
----
block
  DROP DOMAIN positive CASCADE also drops column public.counts.n; drop what you mean by name first, and leave CASCADE out
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow cascade-dropped reason="..." */ DROP DOMAIN positive CASCADE;

check
DROP FUNCTION touch() CASCADE
----
block
  DROP FUNCTION touch CASCADE also drops trigger touched of public.users; drop what you mean by name first, and leave CASCADE out
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow cascade-dropped reason="..." */ DROP FUNCTION touch() CASCADE;

check
DROP FUNCTION idle() CASCADE
----
pass

check
DROP SEQUENCE counted CASCADE
----
block
  DROP SEQUENCE counted CASCADE also drops default of public.numbered.n; drop what you mean by name first, and leave CASCADE out
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow cascade-dropped reason="..." */ DROP SEQUENCE counted CASCADE;

check
DROP SEQUENCE free CASCADE
----
pass

# What an extension's objects carry is not known.
check
DROP EXTENSION hstore CASCADE
----
block
  DROP EXTENSION hstore CASCADE also drops what depends on it, which the statement does not name; drop that by name first, and leave CASCADE out
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow cascade-dropped reason="..." */ DROP EXTENSION hstore CASCADE;
  unknown: what depends on hstore

# Nothing hangs on them; and what is dropped elsewhere has rules of its own.
check
DROP TRIGGER touched ON users CASCADE
----
pass

check
DROP SCHEMA public CASCADE
----
pass

check
DROP TABLE missing CASCADE
----
pass

begin
CREATE TABLE fresh (a int PRIMARY KEY); CREATE VIEW fresher AS SELECT * FROM fresh; CREATE TYPE newer AS ENUM ('x'); CREATE TABLE kept AS SELECT 'x'::newer AS a
----

check
DROP TABLE fresh CASCADE
----
pass

check
DROP TYPE newer CASCADE
----
pass

rollback
----

check unknown
DROP TABLE users CASCADE
----
block
  DROP TABLE users CASCADE also drops what depends on it, which the statement does not name; drop that by name first, and leave CASCADE out
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow cascade-dropped reason="..." */ DROP TABLE users CASCADE;
  unknown: what depends on users

check unknown
DROP FUNCTION touch() CASCADE
----
block
  DROP FUNCTION touch CASCADE also drops what depends on it, which the statement does not name; drop that by name first, and leave CASCADE out
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow cascade-dropped reason="..." */ DROP FUNCTION touch() CASCADE;
  unknown: what depends on touch

check role
/* pgsluice:allow cascade-dropped reason="the views are rebuilt below" */ DROP VIEW names CASCADE
----
pass
  overridden: DROP VIEW names CASCADE also drops view public.more; drop what you mean by name first, and leave CASCADE out
