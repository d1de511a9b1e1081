setup
CREATE TABLE users (id serial PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE empty (a int);
CREATE VIEW seen AS SELECT * FROM users; CREATE INDEX users_id ON users (id); CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM users;
ANALYZE users
----

# The code that runs knows only one of the names.
check
ALTER TABLE users RENAME TO customers
----

# No query uses the name of an index, or of a constraint.
check
ALTER INDEX users_id RENAME TO customers_id
----

check
ALTER TABLE users RENAME CONSTRAINT users_pkey TO customers_pkey
----

locks
ALTER TABLE users RENAME TO customers
----

locks
ALTER INDEX users_id RENAME TO customers_id
----

# On demand, the old name stays as a view.
check action=rewrite
ALTER TABLE users RENAME TO customers
----

check action=warn
ALTER TABLE users RENAME TO customers
----

check
ALTER TABLE empty RENAME TO full
----

check
ALTER VIEW seen RENAME TO looked
----

check
ALTER MATERIALIZED VIEW counted RENAME TO numbers
----

begin
CREATE TABLE fresh AS SELECT 1 AS a; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
ALTER TABLE fresh RENAME TO older
----

check
ALTER TABLE scratch RENAME TO older
----

rollback
----

check
ALTER TABLE missing RENAME TO found
----

check unknown
ALTER TABLE users RENAME TO "Customers"
----

check role
/* pgsluice:allow table-renamed reason="nothing uses it" */ ALTER TABLE users RENAME TO customers
----
