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

# Nothing goes along.
check
DROP TABLE lonely CASCADE
----

locks
DROP TABLE users CASCADE
----

# Without it the server refuses.
check
DROP TABLE users
----

check
DROP TABLE users, orders CASCADE
----

check
DROP VIEW names CASCADE
----

check
DROP VIEW more CASCADE
----

check
ALTER TABLE users DROP COLUMN name CASCADE
----

check
ALTER TABLE lonely DROP COLUMN b CASCADE
----

check
ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE
----

check
ALTER TABLE users DROP CONSTRAINT users_email_key CASCADE, DROP COLUMN name
----

check
ALTER TABLE lonely DROP CONSTRAINT lonely_pkey CASCADE
----

# The columns of the type go, with their values.
check
DROP TYPE mood CASCADE
----

locks
DROP TYPE mood CASCADE
----

check
DROP TYPE unused CASCADE
----

check
DROP DOMAIN positive CASCADE
----

check
DROP FUNCTION touch() CASCADE
----

check
DROP FUNCTION idle() CASCADE
----

check
DROP SEQUENCE counted CASCADE
----

check
DROP SEQUENCE free CASCADE
----

# What an extension's objects carry is not known.
check
DROP EXTENSION hstore CASCADE
----

# Nothing hangs on them; and what is dropped elsewhere has rules of its own.
check
DROP TRIGGER touched ON users CASCADE
----

check
DROP SCHEMA public CASCADE
----

check
DROP TABLE missing CASCADE
----

begin
CREATE TABLE fresh (a int PRIMARY KEY); CREATE VIEW fresher AS SELECT * FROM fresh; CREATE TYPE newer AS ENUM ('x'); CREATE TABLE kept AS SELECT 'x'::newer AS a
----

check
DROP TABLE fresh CASCADE
----

check
DROP TYPE newer CASCADE
----

rollback
----

check unknown
DROP TABLE users CASCADE
----

check unknown
DROP FUNCTION touch() CASCADE
----

check role
/* pgsluice:allow cascade-dropped reason="the views are rebuilt below" */ DROP VIEW names CASCADE
----
