setup
CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1); CREATE TABLE empty (a int); CREATE TABLE orders (id int); INSERT INTO orders VALUES (1);
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM users; ANALYZE users, orders
----

begin
ALTER TABLE users ADD COLUMN nick text
----

# Nobody can use the table until every row is changed.
check
UPDATE users SET nick = name
----

# By a value it may be one row only.
check
UPDATE users SET nick = 'x' WHERE id = 1
----

check
UPDATE users SET nick = name WHERE nick IS NULL
----

check
DELETE FROM orders WHERE 1 = 1
----

check
UPDATE empty SET a = 1
----

check small
UPDATE users SET nick = name
----

check
INSERT INTO users VALUES (2)
----

check
REFRESH MATERIALIZED VIEW counted
----

check
CREATE TABLE copied AS SELECT * FROM orders
----

check
CREATE MATERIALIZED VIEW copied AS SELECT * FROM orders
----

check
CREATE MATERIALIZED VIEW copied AS SELECT * FROM orders WITH NO DATA
----

check
CREATE TABLE copied AS SELECT 1 AS a
----

check
ANALYZE orders
----

check unknown
UPDATE users SET nick = name
----

rollback
----

# It holds nothing that others wait for.
begin
CREATE TABLE fresh AS SELECT * FROM users
----

check
UPDATE users SET name = 'x'
----

rollback
----

check
UPDATE users SET name = 'x'
----

locks
ALTER TABLE users ADD COLUMN nick text; UPDATE users SET nick = name
----
