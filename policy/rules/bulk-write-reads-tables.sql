setup
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int); CREATE TABLE orders (id serial PRIMARY KEY, user_id bigint, total int);
INSERT INTO users (a) VALUES (1); INSERT INTO orders (user_id) VALUES (1); ANALYZE
----

check rows=2000000 bytes=500000000
DELETE FROM users WHERE id IN (SELECT user_id FROM orders)
----
block
  DELETE reads "orders", which may change from one batch to the next; see to it that it does not, and override this
  hint: /* pgsluice:allow bulk-write-reads-tables reason="…" */ in front of it runs it in batches.

check rows=2000000 bytes=500000000
UPDATE users SET a = total FROM orders WHERE users.id = orders.user_id
----
block
  UPDATE reads "orders", which may change from one batch to the next; see to it that it does not, and override this
  hint: /* pgsluice:allow bulk-write-reads-tables reason="…" */ in front of it runs it in batches.

# Refused anyway.
check rows=2000000 bytes=500000000
UPDATE users SET a = random() FROM orders WHERE users.id = orders.user_id
----
pass

check rows=2000000 bytes=500000000
UPDATE users SET a = 5
----
pass

check small rows=9999 bytes=500000000
DELETE FROM users WHERE id IN (SELECT user_id FROM orders)
----
pass

check rows=2000000 bytes=500000000 role
/* pgsluice:allow bulk-write-reads-tables reason="nobody orders at night" */ DELETE FROM users WHERE id IN (SELECT user_id FROM orders)
----
pass
  overridden: DELETE reads "orders", which may change from one batch to the next; see to it that it does not, and override this

locks
DELETE FROM users WHERE id IN (SELECT user_id FROM orders)
----
orders AccessShareLock
orders_pkey AccessShareLock
users RowExclusiveLock
users_pkey RowExclusiveLock

# Deferred, it reads them later still.
begin
SELECT 1
----

check rows=2000000 bytes=500000000 ledger
/* pgsluice:defer */ UPDATE users SET a = total FROM orders WHERE users.id = orders.user_id
----
block
  UPDATE reads "orders", which may change from one batch to the next; see to it that it does not, and override this
  hint: /* pgsluice:allow bulk-write-reads-tables reason="…" */ in front of it runs it in batches.

rollback
----
