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
    ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID;

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
    ALTER TABLE orders ADD FOREIGN KEY (a, b) REFERENCES users (a, b);

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
    ALTER TABLE orders ADD FOREIGN KEY (a, b) REFERENCES users (a, b);

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
  no index begins with (d): every DELETE on "users" will read all of "orders"; create one behind it
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD COLUMN d int REFERENCES users;
    CREATE INDEX CONCURRENTLY ON orders (d);

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

# A column that the same statement adds gets its index behind it.
check
ALTER TABLE orders ADD COLUMN u int REFERENCES users
----
warn
  no index begins with (u): every DELETE on "users" will read all of "orders"; create one behind it
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD COLUMN u int REFERENCES users;
    CREATE INDEX CONCURRENTLY ON orders (u);

setup
CREATE TABLE events (id int, user_id int) PARTITION BY RANGE (id); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (1000);
INSERT INTO events SELECT g, g FROM generate_series(1, 100) g; ANALYZE events
----

# A partitioned table has no concurrent build of its own.
check
ALTER TABLE events ADD FOREIGN KEY (user_id) REFERENCES users
----
warn
  no index begins with (user_id): every DELETE on "users" will read all of "events"; create one first
  detail: Table public.events has about 100 rows in 1 partition, 8192 bytes.
  hint: CREATE INDEX events_user_id_idx ON ONLY public.events (user_id);
    CREATE INDEX CONCURRENTLY events_1_user_id_idx ON public.events_1 (user_id);
    ALTER INDEX public.events_user_id_idx ATTACH PARTITION public.events_1_user_id_idx;
    ALTER TABLE events ADD FOREIGN KEY (user_id) REFERENCES users;
