setup
CREATE TABLE users (id int PRIMARY KEY, a int, b int, UNIQUE (a, b)); INSERT INTO users SELECT g, g, g FROM generate_series(1, 100) g;
CREATE TABLE orders (id int PRIMARY KEY, user_id int, a int, b int, c int); INSERT INTO orders SELECT g, g, g, g, g FROM generate_series(1, 100) g; ANALYZE users, orders
----

check
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID
----
warn
  no index begins with (user_id): every DELETE on "users" will read all of "orders"; create one first
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: CREATE INDEX CONCURRENTLY ON orders (user_id);

setup
CREATE INDEX orders_user ON orders (user_id, c)
----

# An index begins with the column.
check
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID
----
pass

locks
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID
----
orders AccessShareLock
orders ShareRowExclusiveLock
users AccessShareLock
users ShareRowExclusiveLock

check
ALTER TABLE orders ADD FOREIGN KEY (a, b) REFERENCES users (a, b)
----
warn
  no index begins with (a, b): every DELETE on "users" will read all of "orders"; create one first
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: CREATE INDEX CONCURRENTLY ON orders (a, b);

setup
CREATE INDEX orders_part ON orders (a, b) WHERE c > 0; CREATE INDEX orders_hash ON orders USING hash (a)
----

check
ALTER TABLE orders ADD FOREIGN KEY (a, b) REFERENCES users (a, b)
----
warn
  no index begins with (a, b): every DELETE on "users" will read all of "orders"; create one first
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: CREATE INDEX CONCURRENTLY ON orders (a, b);

# In any order.
setup
CREATE INDEX orders_b_a ON orders (b, a, c)
----

check
ALTER TABLE orders ADD FOREIGN KEY (a, b) REFERENCES users (a, b)
----
pass

check
ALTER TABLE orders ADD FOREIGN KEY (c) REFERENCES users, ADD UNIQUE (c)
----
pass

# Of a new column, too.
check
ALTER TABLE orders ADD COLUMN d int REFERENCES users
----
warn
  no index begins with (d): every DELETE on "users" will read all of "orders"; create one first
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: CREATE INDEX CONCURRENTLY ON orders (d);

check
ALTER TABLE orders ADD COLUMN d int UNIQUE REFERENCES users
----
pass

check small
ALTER TABLE orders ADD FOREIGN KEY (c) REFERENCES users
----
pass

check unknown
ALTER TABLE orders ADD FOREIGN KEY (c) REFERENCES users
----
pass
