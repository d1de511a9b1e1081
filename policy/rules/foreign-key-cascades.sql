setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users SELECT generate_series(1, 100);
CREATE TABLE orders (id int PRIMARY KEY, user_id int); INSERT INTO orders SELECT g, g FROM generate_series(1, 100) g; ANALYZE users, orders
----

check
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID
----
warn
  deleting one row of "users" will delete all its rows of "orders", however many; delete those in batches first, and leave ON DELETE CASCADE out
  detail: Table public.orders has about 100 rows, 8192 bytes.

check
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE SET NULL NOT VALID
----
pass

locks
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID
----
orders AccessShareLock
orders ShareRowExclusiveLock
users AccessShareLock
users ShareRowExclusiveLock

check small
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
----
pass

check unknown
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
----
pass
