setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE orders (user_id int REFERENCES users); INSERT INTO orders VALUES (1);
CREATE TRIGGER audited BEFORE INSERT ON orders EXECUTE FUNCTION suppress_redundant_updates_trigger(); CREATE TABLE empty (a int); ANALYZE orders
----

# The foreign keys, too.
check
ALTER TABLE orders DISABLE TRIGGER ALL
----
block
  DISABLE TRIGGER ALL switches off the foreign keys of "orders" for everybody; disable the triggers by name
  detail: Table public.orders has about 1 rows, 8192 bytes.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow trigger-disabled reason="..." */ ALTER TABLE orders DISABLE TRIGGER ALL;

check
ALTER TABLE orders ENABLE TRIGGER ALL
----
pass

locks
ALTER TABLE orders DISABLE TRIGGER ALL
----
orders ShareRowExclusiveLock

# The foreign keys go on.
check
ALTER TABLE orders DISABLE TRIGGER USER
----
warn
  DISABLE TRIGGER USER switches off the triggers of "orders" for everybody; enable them in the same transaction
  detail: Table public.orders has about 1 rows, 8192 bytes.

check
ALTER TABLE orders DISABLE TRIGGER audited
----
warn
  trigger "audited" of "orders" is off for everybody from the COMMIT on; enable it in the same transaction
  detail: Table public.orders has about 1 rows, 8192 bytes.

check
ALTER TABLE orders ENABLE TRIGGER audited
----
pass

check
ALTER TABLE empty DISABLE TRIGGER ALL
----
pass

begin
CREATE TABLE fresh AS SELECT 1 AS a; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
ALTER TABLE fresh DISABLE TRIGGER ALL
----
pass

check
ALTER TABLE scratch DISABLE TRIGGER ALL
----
pass

rollback
----

check unknown
ALTER TABLE orders DISABLE TRIGGER ALL
----
block
  DISABLE TRIGGER ALL switches off the foreign keys of "orders" for everybody; disable the triggers by name
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow trigger-disabled reason="..." */ ALTER TABLE orders DISABLE TRIGGER ALL;
  unknown: whether "orders" is in use: its size
