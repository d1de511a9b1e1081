setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE orders (user_id int REFERENCES users); INSERT INTO orders VALUES (1);
CREATE TRIGGER audited BEFORE INSERT ON orders EXECUTE FUNCTION suppress_redundant_updates_trigger(); CREATE TABLE empty (a int); ANALYZE orders
----

# The foreign keys, too.
check
ALTER TABLE orders DISABLE TRIGGER ALL
----

check
ALTER TABLE orders ENABLE TRIGGER ALL
----

locks
ALTER TABLE orders DISABLE TRIGGER ALL
----

# The foreign keys go on.
check
ALTER TABLE orders DISABLE TRIGGER USER
----

check
ALTER TABLE orders DISABLE TRIGGER audited
----

check
ALTER TABLE orders ENABLE TRIGGER audited
----

check
ALTER TABLE empty DISABLE TRIGGER ALL
----

begin
CREATE TABLE fresh AS SELECT 1 AS a; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
ALTER TABLE fresh DISABLE TRIGGER ALL
----

check
ALTER TABLE scratch DISABLE TRIGGER ALL
----

rollback
----

check unknown
ALTER TABLE orders DISABLE TRIGGER ALL
----
