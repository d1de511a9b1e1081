setup
CREATE SCHEMA app; CREATE TABLE app.users (id int PRIMARY KEY); INSERT INTO app.users VALUES (1); CREATE VIEW app.seen AS SELECT * FROM app.users;
CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE app.mood AS ENUM ('ok'); CREATE SEQUENCE app.counted;
CREATE TABLE orders (user_id int CONSTRAINT orders_user REFERENCES app.users);
CREATE SCHEMA bare; CREATE ROLE leaving
----

check
DROP SCHEMA app CASCADE
----

# The server refuses it unless it is empty.
check
DROP SCHEMA app
----

check
DROP SCHEMA bare CASCADE
----

locks
DROP SCHEMA app CASCADE
----

check
DROP SCHEMA IF EXISTS missing CASCADE
----

begin
CREATE SCHEMA fresh; CREATE TABLE fresh.t AS SELECT 1 AS a
----

check
DROP SCHEMA fresh CASCADE
----

rollback
----

check
DROP DATABASE IF EXISTS production
----

check
DROP OWNED BY leaving, other CASCADE
----

check unknown
DROP SCHEMA app CASCADE
----

check role
/* pgsluice:allow schema-dropped reason="the tenant has left" */ DROP SCHEMA app CASCADE
----

setup
DROP ROLE leaving
----
