setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1);
CREATE TABLE orders (user_id int); INSERT INTO orders VALUES (1); CREATE TABLE empty (user_id int)
----

setup major=18
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT ENFORCED
----

check major=18
ALTER TABLE orders ALTER CONSTRAINT orders_user ENFORCED
----
block
  enforcing constraint "orders_user" blocks reads and writes of "orders" while every row is checked; add it anew NOT VALID, VALIDATE that, and drop this one
  detail: Table public.orders has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_user_enforced FOREIGN KEY (user_id) REFERENCES users(id) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_user_enforced;
    ALTER TABLE orders DROP CONSTRAINT orders_user;
    ALTER TABLE orders RENAME CONSTRAINT orders_user_enforced TO orders_user;

check major=18
alter table only orders alter constraint "orders_user" deferrable /* now */ enforced
----
block
  enforcing constraint "orders_user" blocks reads and writes of "orders" while every row is checked; add it anew NOT VALID, VALIDATE that, and drop this one
  detail: Table public.orders has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_user_enforced FOREIGN KEY (user_id) REFERENCES users(id) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_user_enforced;
    ALTER TABLE orders DROP CONSTRAINT orders_user;
    ALTER TABLE orders RENAME CONSTRAINT orders_user_enforced TO orders_user;

check unknown
ALTER TABLE orders ALTER CONSTRAINT orders_user ENFORCED
----
block
  enforcing constraint "orders_user" blocks reads and writes of "orders" while every row is checked; add it anew NOT VALID, VALIDATE that, and drop this one
  unknown: the size of table "orders"

check major=18
DO $$ BEGIN ALTER TABLE orders ALTER CONSTRAINT orders_user ENFORCED; END $$
----
block
  line 1 of the DO block: enforcing constraint "orders_user" blocks reads and writes of "orders" while every row is checked; add it anew NOT VALID, VALIDATE that, and drop this one
  detail: Table public.orders has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_user_enforced FOREIGN KEY (user_id) REFERENCES users(id) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_user_enforced;
    ALTER TABLE orders DROP CONSTRAINT orders_user;
    ALTER TABLE orders RENAME CONSTRAINT orders_user_enforced TO orders_user;

check
ALTER TABLE orders ALTER CONSTRAINT orders_user NOT ENFORCED
----
pass

check
ALTER TABLE orders ALTER CONSTRAINT orders_user DEFERRABLE
----
pass

check
ALTER TABLE empty ALTER CONSTRAINT empty_user ENFORCED
----
pass

check small
ALTER TABLE orders ALTER CONSTRAINT orders_user ENFORCED
----
pass

# The locks on users' rows and its key are those of the check.
locks major=18
ALTER TABLE orders ALTER CONSTRAINT orders_user ENFORCED
----
orders AccessExclusiveLock
orders AccessShareLock
orders ShareRowExclusiveLock
users AccessShareLock
users RowShareLock
users ShareRowExclusiveLock
users_pkey AccessShareLock

locks major=18
ALTER TABLE orders ADD CONSTRAINT orders_user_again FOREIGN KEY (user_id) REFERENCES users NOT VALID
----
orders AccessShareLock
orders ShareRowExclusiveLock
users AccessShareLock
users ShareRowExclusiveLock

locks major=18
ALTER TABLE orders ADD CONSTRAINT positive CHECK (user_id > 0) NOT ENFORCED
----
orders AccessExclusiveLock

setup
CREATE TABLE again (user_id int CONSTRAINT again_user REFERENCES users); INSERT INTO again VALUES (1)
----

# What is enforced already changes in nothing.
check
ALTER TABLE again ALTER CONSTRAINT again_user ENFORCED
----
pass

# All that the old one says, and all else that the statement does.
setup major=18
ALTER TABLE orders ADD CONSTRAINT orders_whole FOREIGN KEY (user_id) REFERENCES users MATCH FULL ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED NOT ENFORCED
----

check major=18
ALTER TABLE orders ADD COLUMN note text, ALTER CONSTRAINT orders_whole ENFORCED
----
block
  enforcing constraint "orders_whole" blocks reads and writes of "orders" while every row is checked; add it anew NOT VALID, VALIDATE that, and drop this one
  detail: Table public.orders has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: ALTER TABLE orders ADD COLUMN note text;
    ALTER TABLE orders ADD CONSTRAINT orders_whole_enforced FOREIGN KEY (user_id) REFERENCES users(id) MATCH FULL ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_whole_enforced;
    ALTER TABLE orders DROP CONSTRAINT orders_whole;
    ALTER TABLE orders RENAME CONSTRAINT orders_whole_enforced TO orders_whole;
