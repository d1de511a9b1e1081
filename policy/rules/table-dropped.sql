setup
CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE); INSERT INTO users (email) VALUES ('a'), ('b');
CREATE INDEX users_email ON users (email);
CREATE TABLE orders (id int PRIMARY KEY, user_id int CONSTRAINT orders_user REFERENCES users); INSERT INTO orders VALUES (1, 1);
CREATE TABLE empty (a int); CREATE TABLE "Odd ""One" (a int); INSERT INTO "Odd ""One" VALUES (1);
ANALYZE users, orders
----

# The rows are gone for good.
check
DROP TABLE orders
----

# Nobody loses anything.
check
DROP TABLE empty
----

locks
DROP TABLE orders
----

# What is in the way is told before the server refuses it.
check
DROP TABLE users
----

setup
CREATE VIEW seen AS SELECT id FROM users
----

check
DROP TABLE IF EXISTS users CASCADE
----

# What goes in the same statement is not in the way.
check
DROP TABLE users, orders, empty, missing
----

check
DROP TABLE "Odd ""One"
----

# A migration tool's own table is a table like any other here.
setup
CREATE TABLE schema_migrations (version bigint not null primary key, dirty boolean not null); INSERT INTO schema_migrations VALUES (1, false)
----

check
DROP TABLE schema_migrations
----

begin
CREATE TABLE fresh AS SELECT 1 AS a; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
DROP TABLE fresh, scratch
----

rollback
----

check
DROP TABLE missing
----

check
DROP TABLE IF EXISTS missing
----

# Other objects have rules of their own.
check
DROP VIEW seen
----

check unknown
DROP TABLE orders
----

check role
/* pgsluice:allow table-dropped reason="moved to the archive" */ DROP TABLE orders
----

check
/* pgsluice:allow table-dropped reason="moved to the archive" */ DROP TABLE orders
----

# A partition's rows are rows.
setup
CREATE TABLE events (at int) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10); INSERT INTO events VALUES (1);
CREATE TABLE hollow (at int) PARTITION BY RANGE (at); CREATE TABLE hollow_1 PARTITION OF hollow FOR VALUES FROM (1) TO (10)
----

check
DROP TABLE events
----

check
DROP TABLE events_1
----

check
DROP TABLE hollow
----
