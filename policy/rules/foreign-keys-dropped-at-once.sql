setup
CREATE TABLE users (id int PRIMARY KEY, mail text UNIQUE); CREATE TABLE shops (id int PRIMARY KEY); INSERT INTO users VALUES (1, 'a'); INSERT INTO shops VALUES (1);
CREATE TABLE orders (id int PRIMARY KEY, user_id int CONSTRAINT orders_user REFERENCES users, shop_id int CONSTRAINT orders_shop REFERENCES shops, above int CONSTRAINT orders_above REFERENCES orders);
CREATE TABLE lines (order_id int CONSTRAINT lines_order REFERENCES orders); CREATE TABLE alone (a int)
----

# All three tables are locked until the last lock is granted.
check
DROP TABLE orders CASCADE
----

# No foreign key, no other table.
check
DROP TABLE alone
----

locks
DROP TABLE orders CASCADE
----

# One key at a time locks one pair of tables.
locks
ALTER TABLE orders DROP CONSTRAINT orders_user
----

# Without CASCADE the keys that reference it are the server's refusal.
check
DROP TABLE orders
----

check
DROP TABLE orders, lines, users
----

check
ALTER TABLE orders DROP COLUMN user_id
----

check
ALTER TABLE orders DROP COLUMN above
----

check
ALTER TABLE users DROP COLUMN mail
----

check
ALTER TABLE users DROP COLUMN id CASCADE
----

# In a transaction the locks add up whatever is done.
begin
----

check
DROP TABLE lines
----

rollback
----

# A table that nobody else sees still has the other end.
begin
CREATE TABLE fresh (user_id int CONSTRAINT fresh_user REFERENCES users, a int)
----

check
DROP TABLE fresh
----

check
ALTER TABLE fresh DROP COLUMN a
----

rollback
----

# A partition has its keys from its parent: they cannot be dropped by themselves.
setup
CREATE TABLE events (user_id int CONSTRAINT events_user REFERENCES users, at int) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10)
----

check
DROP TABLE events_1
----

check
DROP TABLE events
----

check
DROP TABLE missing
----

check unknown
DROP TABLE orders
----

check
/* pgsluice:allow foreign-keys-dropped-at-once reason="at night" */ DROP TABLE lines
----
