setup
CREATE TABLE orders (id int)
----

check file
CREATE TABLE users (id bigint PRIMARY KEY, "E-mail" text); COMMENT ON COLUMN users.id IS 'given by the directory'
----
block
  nothing says what column "E-mail" of "users" is for; add COMMENT ON COLUMN users."E-mail" IS '...'

check file
ALTER TABLE app.orders ADD COLUMN weight int, ADD paid bool; COMMENT ON COLUMN orders.weight IS 'of another table'; COMMENT ON COLUMN app.orders.paid IS 'in full'
----
block
  nothing says what column "weight" of "orders" is for; add COMMENT ON COLUMN app.orders.weight IS '...'

check file
CREATE TABLE users (id bigint PRIMARY KEY); COMMENT ON TABLE users IS 'who may log in'
----
block
  nothing says what column "id" of "users" is for; add COMMENT ON COLUMN users.id IS '...'

check file
CREATE TABLE app.users (id bigint PRIMARY KEY); CREATE INDEX ON app.users (id); COMMENT ON COLUMN app.users.id IS 'given by the directory'
----
pass

# They are explained where they come from.
check file
CREATE TABLE users_2 (LIKE users)
----
pass

check file
CREATE TEMP TABLE scratch (id int)
----
pass

check file
ALTER TABLE orders ALTER COLUMN id SET DEFAULT 5
----
pass

# On a connection nobody knows what comes.
check
CREATE TABLE users (id bigint PRIMARY KEY)
----
pass

locks
COMMENT ON COLUMN orders.id IS 'given by the shop'
----
orders ShareUpdateExclusiveLock
