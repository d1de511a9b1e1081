setup
CREATE TABLE users (id int PRIMARY KEY, mail text UNIQUE); CREATE TABLE shops (id int PRIMARY KEY); INSERT INTO users VALUES (1, 'a'); INSERT INTO shops VALUES (1);
CREATE TABLE orders (id int PRIMARY KEY, user_id int CONSTRAINT orders_user REFERENCES users, shop_id int CONSTRAINT orders_shop REFERENCES shops, above int CONSTRAINT orders_above REFERENCES orders);
CREATE TABLE lines (order_id int CONSTRAINT lines_order REFERENCES orders); CREATE TABLE alone (a int)
----

# All three tables are locked until the last lock is granted.
check
DROP TABLE orders CASCADE
----
rewrite
  dropping table orders also locks readers and writers out of public.shops, public.users and public.lines, at the other end of its foreign keys; drop those one by one first
  hint: ALTER TABLE public.orders DROP CONSTRAINT orders_shop;
    ALTER TABLE public.orders DROP CONSTRAINT orders_user;
    ALTER TABLE public.lines DROP CONSTRAINT lines_order;
    DROP TABLE orders CASCADE;

# No foreign key, no other table.
check
DROP TABLE alone
----
pass

locks
DROP TABLE orders CASCADE
----
(uncommitted) AccessExclusiveLock
lines AccessExclusiveLock
shops AccessExclusiveLock
users AccessExclusiveLock

# One key at a time locks one pair of tables.
locks
ALTER TABLE orders DROP CONSTRAINT orders_user
----
orders AccessExclusiveLock
users AccessExclusiveLock

# Without CASCADE the keys that reference it are the server's refusal.
check
DROP TABLE orders
----
pass

check
DROP TABLE orders, lines, users
----
rewrite
  dropping tables orders, lines and users also locks readers and writers out of public.shops, at the other end of its foreign keys; drop those one by one first
  hint: ALTER TABLE public.orders DROP CONSTRAINT orders_shop;
    DROP TABLE orders, lines, users;

check
ALTER TABLE orders DROP COLUMN user_id
----
rewrite
  dropping column "user_id" of "orders" also locks readers and writers out of public.users, at the other end of its foreign keys; drop those one by one first
  hint: ALTER TABLE public.orders DROP CONSTRAINT orders_user;
    ALTER TABLE orders DROP COLUMN user_id;

check
ALTER TABLE orders DROP COLUMN above
----
pass

check
ALTER TABLE users DROP COLUMN mail
----
pass

check
ALTER TABLE users DROP COLUMN id CASCADE
----
rewrite
  dropping column "id" of "users" also locks readers and writers out of public.orders, at the other end of its foreign keys; drop those one by one first
  hint: ALTER TABLE public.orders DROP CONSTRAINT orders_user;
    ALTER TABLE users DROP COLUMN id CASCADE;

# In a transaction the locks add up whatever is done.
begin
----

check
DROP TABLE lines
----
warn
  dropping table lines also locks readers and writers out of public.orders, at the other end of its foreign keys; drop those one by one first, outside of the transaction
  detail: All the locks are held until the transaction ends.
  hint: ALTER TABLE public.lines DROP CONSTRAINT lines_order;
    DROP TABLE lines;

rollback
----

# A table that nobody else sees still has the other end.
begin
CREATE TABLE fresh (user_id int CONSTRAINT fresh_user REFERENCES users, a int)
----

check
DROP TABLE fresh
----
warn
  dropping table fresh also locks readers and writers out of public.users, at the other end of its foreign keys; drop those one by one first, outside of the transaction
  detail: All the locks are held until the transaction ends.
  hint: ALTER TABLE public.fresh DROP CONSTRAINT fresh_user;
    DROP TABLE fresh;

check
ALTER TABLE fresh DROP COLUMN a
----
pass

rollback
----

# A partition has its keys from its parent: they cannot be dropped by themselves.
setup
CREATE TABLE events (user_id int CONSTRAINT events_user REFERENCES users, at int) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10)
----

check
DROP TABLE events_1
----
warn
  dropping table events_1 also locks readers and writers out of public.users, at the other end of its foreign keys; detach it concurrently first

check
DROP TABLE events
----
rewrite
  dropping table events also locks readers and writers out of public.users, at the other end of its foreign keys; drop those one by one first
  hint: ALTER TABLE public.events DROP CONSTRAINT events_user;
    DROP TABLE events;

check
DROP TABLE missing
----
pass

check unknown
DROP TABLE orders
----
pass

check
/* pgsluice:allow foreign-keys-dropped-at-once reason="at night" */ DROP TABLE lines
----
pass
  overridden: dropping table lines also locks readers and writers out of public.orders, at the other end of its foreign keys; drop those one by one first
