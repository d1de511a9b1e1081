setup
CREATE SCHEMA app; CREATE TABLE app.users (id int PRIMARY KEY); INSERT INTO app.users VALUES (1); CREATE VIEW app.seen AS SELECT * FROM app.users;
CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE app.mood AS ENUM ('ok'); CREATE SEQUENCE app.counted;
CREATE TABLE orders (user_id int CONSTRAINT orders_user REFERENCES app.users);
CREATE SCHEMA bare; CREATE ROLE leaving
----

check
DROP SCHEMA app CASCADE
----
block
  DROP SCHEMA app CASCADE drops 1 table, 1 view, 1 sequence, 1 function and 1 type; drop them by name, then the schema without CASCADE
  detail: Its largest tables: users. Outside of it goes foreign key orders_user of public.orders.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow schema-dropped reason="..." */ DROP SCHEMA app CASCADE;

# The server refuses it unless it is empty.
check
DROP SCHEMA app
----
pass

check
DROP SCHEMA bare CASCADE
----
pass

locks
DROP SCHEMA app CASCADE
----
(uncommitted) AccessExclusiveLock
orders AccessExclusiveLock

check
DROP SCHEMA IF EXISTS missing CASCADE
----
pass

begin
CREATE SCHEMA fresh; CREATE TABLE fresh.t AS SELECT 1 AS a
----

check
DROP SCHEMA fresh CASCADE
----
pass

rollback
----

check
DROP DATABASE IF EXISTS production
----
block
  dropping database "production" destroys everything in it; take a backup, then allow the drop
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow schema-dropped reason="..." */ DROP DATABASE IF EXISTS production;

check
DROP OWNED BY leaving, other CASCADE
----
block
  DROP OWNED drops every table and view of "leaving" and "other" in this database; use REASSIGN OWNED, and drop by name
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow schema-dropped reason="..." */ DROP OWNED BY leaving, other CASCADE;

check unknown
DROP SCHEMA app CASCADE
----
block
  DROP SCHEMA app CASCADE drops everything in it; drop its tables by name, then the schema without CASCADE
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow schema-dropped reason="..." */ DROP SCHEMA app CASCADE;
  unknown: what is in schema "app"

check role
/* pgsluice:allow schema-dropped reason="the tenant has left" */ DROP SCHEMA app CASCADE
----
pass
  overridden: DROP SCHEMA app CASCADE drops 1 table, 1 view, 1 sequence, 1 function and 1 type; drop them by name, then the schema without CASCADE

setup
DROP ROLE leaving
----
