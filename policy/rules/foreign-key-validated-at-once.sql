setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users SELECT generate_series(1, 100);
CREATE TABLE orders (id int PRIMARY KEY, user_id int, other_id int); INSERT INTO orders SELECT g, g, g FROM generate_series(1, 100) g;
ANALYZE users, orders
----

# Writers of both tables wait until every row is checked.
check
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users
----
rewrite
  adding constraint "orders_user" blocks writes to "orders" and "users" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_user;

# New rows are checked from now on; VALIDATE CONSTRAINT checks the old ones and lets everybody work.
check
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID
----
pass

locks
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users
----
orders AccessShareLock
orders ShareRowExclusiveLock
orders_pkey AccessShareLock
users AccessShareLock
users RowShareLock
users ShareRowExclusiveLock
users_pkey AccessShareLock

locks
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID
----
orders AccessShareLock
orders ShareRowExclusiveLock
users AccessShareLock
users ShareRowExclusiveLock

check
alter table if exists public.orders add foreign key (user_id) references public.users (id) on delete cascade
----
rewrite
  adding a foreign key blocks writes to "orders" and "users" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: alter table if exists public.orders add CONSTRAINT "orders_user_id_fkey" foreign key (user_id) references public.users (id) on delete cascade NOT VALID;
    ALTER TABLE public.orders VALIDATE CONSTRAINT orders_user_id_fkey;

# One of several commands.
check
ALTER TABLE orders ADD COLUMN note text, ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users
----
rewrite
  adding constraint "orders_user" blocks writes to "orders" and "users" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD COLUMN note text, ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_user;

# NOT VALID and VALIDATE in one statement: the lock of the first is held through the second.
check
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID, VALIDATE CONSTRAINT orders_user
----
rewrite
  adding constraint "orders_user" blocks writes to "orders" and "users" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_user;

begin
----

check
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users
----
block
  adding constraint "orders_user" blocks writes to "orders" and "users" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT outside of the transaction
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_user;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.

check ledger
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users
----
rewrite
  adding constraint "orders_user" blocks writes to "orders" and "users" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT outside of the transaction
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_user;

rollback
----

# In one transaction it is the same.
begin
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID
----

check
ALTER TABLE orders VALIDATE CONSTRAINT orders_user
----
block
  validating constraint "orders_user" in a transaction that holds a strong lock keeps others waiting for the whole check; validate it outside of the transaction
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders VALIDATE CONSTRAINT orders_user;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.

check ledger
ALTER TABLE orders VALIDATE CONSTRAINT orders_user
----
rewrite
  validating constraint "orders_user" in a transaction that holds a strong lock keeps others waiting for the whole check; validate it outside of the transaction
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders VALIDATE CONSTRAINT orders_user;

check small
ALTER TABLE orders VALIDATE CONSTRAINT orders_user
----
pass

rollback
----

setup
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID
----

check
ALTER TABLE orders VALIDATE CONSTRAINT orders_user
----
pass

# A transaction that holds nothing harms nobody.
begin
----

check
ALTER TABLE orders VALIDATE CONSTRAINT orders_user
----
pass

rollback
----

# No row, no check: a new table that references an old one is what most migrations are.
setup
CREATE TABLE empty (user_id int)
----

check
ALTER TABLE empty ADD FOREIGN KEY (user_id) REFERENCES users
----
pass

begin
CREATE TABLE fresh AS SELECT 1 AS user_id
----

check
ALTER TABLE fresh ADD FOREIGN KEY (user_id) REFERENCES users
----
pass

rollback
----

# Both tables have to be small.
check small
ALTER TABLE orders ADD FOREIGN KEY (other_id) REFERENCES users
----
pass

check small rows=1000000
ALTER TABLE orders ADD FOREIGN KEY (other_id) REFERENCES users
----
rewrite
  adding a foreign key blocks writes to "orders" and "users" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.orders has about 1,000,000 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT "orders_other_id_fkey" FOREIGN KEY (other_id) REFERENCES users NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_other_id_fkey;

check unknown
ALTER TABLE orders ADD FOREIGN KEY (other_id) REFERENCES users
----
rewrite
  adding a foreign key blocks writes to "orders" and "users" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  hint: ALTER TABLE orders ADD CONSTRAINT "orders_other_id_fkey" FOREIGN KEY (other_id) REFERENCES users NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_other_id_fkey;
  unknown: the size of table "orders"

check unknown
ALTER TABLE orders ADD FOREIGN KEY (other_id) REFERENCES users NOT VALID
----
pass

# A table that does not exist is the server's to name.
check
ALTER TABLE missing ADD FOREIGN KEY (other_id) REFERENCES users
----
pass

check
ALTER TABLE empty ADD FOREIGN KEY (user_id) REFERENCES missing
----
pass

# Before 18 a partitioned table has no NOT VALID: its partitions go first.
setup
CREATE TABLE events (at int, user_id int) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (1000);
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (1000) TO (2000) PARTITION BY LIST (user_id);
CREATE TABLE events_2_1 PARTITION OF events_2 FOR VALUES IN (1);
INSERT INTO events SELECT g, 1 FROM generate_series(1, 1999) g
----

check version=170000
ALTER TABLE events ADD CONSTRAINT events_user FOREIGN KEY (user_id) REFERENCES users
----
rewrite
  adding constraint "events_user" blocks writes to "events" and "users" while every row is checked; before PostgreSQL 18 add it NOT VALID to each partition and validate it there, then add it to the parent
  detail: Table public.events has an unknown number of rows (it was never analyzed) in 3 partitions, 128 kB.
  hint: Each by itself, outside of a transaction:
    ALTER TABLE public.events_1 ADD CONSTRAINT events_user FOREIGN KEY (user_id) REFERENCES users NOT VALID;
    ALTER TABLE public.events_1 VALIDATE CONSTRAINT events_user;
    ALTER TABLE public.events_2_1 ADD CONSTRAINT events_user FOREIGN KEY (user_id) REFERENCES users NOT VALID;
    ALTER TABLE public.events_2_1 VALIDATE CONSTRAINT events_user;
    ALTER TABLE events ADD CONSTRAINT events_user FOREIGN KEY (user_id) REFERENCES users;

check version=180000
ALTER TABLE events ADD FOREIGN KEY (user_id) REFERENCES users
----
rewrite
  adding a foreign key blocks writes to "events" and "users" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.events has an unknown number of rows (it was never analyzed) in 3 partitions, 128 kB.
  hint: ALTER TABLE events ADD CONSTRAINT "events_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users NOT VALID;
    ALTER TABLE events VALIDATE CONSTRAINT events_user_id_fkey;

# Other constraints have rules of their own.
check
ALTER TABLE orders ADD CHECK (id > 0)
----
pass

check
/* pgsluice:allow foreign-key-validated-at-once reason="only ten rows match" */ ALTER TABLE orders ADD FOREIGN KEY (other_id) REFERENCES users
----
pass
  overridden: adding a foreign key blocks writes to "orders" and "users" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT

# A table that references itself is one table.
setup
CREATE TABLE tree (id int PRIMARY KEY, parent int); INSERT INTO tree VALUES (1, NULL); ANALYZE tree
----

check
ALTER TABLE tree ADD CONSTRAINT tree_parent FOREIGN KEY (parent) REFERENCES tree
----
rewrite
  adding constraint "tree_parent" blocks writes to "tree" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.tree has about 1 rows, 8192 bytes.
  hint: ALTER TABLE tree ADD CONSTRAINT tree_parent FOREIGN KEY (parent) REFERENCES tree NOT VALID;
    ALTER TABLE tree VALIDATE CONSTRAINT tree_parent;

# Of one name, and not the same.
setup
CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.same (id int PRIMARY KEY, of int); INSERT INTO elsewhere.same VALUES (1, 1); CREATE TABLE same (id int PRIMARY KEY, of int); INSERT INTO same VALUES (1, 1);
CREATE INDEX ON same (of)
----

check
ALTER TABLE public.same ADD FOREIGN KEY (of) REFERENCES elsewhere.same
----
rewrite
  adding a foreign key blocks writes to public.same and elsewhere.same while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.same has about 1 rows, 8192 bytes.
  hint: ALTER TABLE public.same ADD CONSTRAINT "same_of_fkey" FOREIGN KEY (of) REFERENCES elsewhere.same NOT VALID;
    ALTER TABLE public.same VALIDATE CONSTRAINT same_of_fkey;

check
ALTER TABLE public.same ADD FOREIGN KEY (of) REFERENCES same
----
rewrite
  adding a foreign key blocks writes to "same" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.same has about 1 rows, 8192 bytes.
  hint: ALTER TABLE public.same ADD CONSTRAINT "same_of_fkey" FOREIGN KEY (of) REFERENCES same NOT VALID;
    ALTER TABLE public.same VALIDATE CONSTRAINT same_of_fkey;

# Partitions that have the key are taken over, if it says the same in all; else it is made and checked beside theirs.
setup
CREATE TABLE visits (at int, user_id int) PARTITION BY RANGE (at); CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (1) TO (1000);
INSERT INTO visits SELECT g, 1 FROM generate_series(1, 999) g; ALTER TABLE visits_1 ADD CONSTRAINT user_key FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE DEFERRABLE
----

check version=170000
ALTER TABLE visits ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE DEFERRABLE
----
pass

check version=170000
ALTER TABLE visits ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE, ADD COLUMN note text
----
rewrite
  adding a foreign key blocks writes to "visits" and "users" while every row is checked; before PostgreSQL 18 add it NOT VALID to each partition and validate it there, then add it to the parent
  detail: Table public.visits has an unknown number of rows (it was never analyzed) in 1 partition, 64 kB.
  hint: Each by itself, outside of a transaction:
    ALTER TABLE visits ADD COLUMN note text;
    ALTER TABLE public.visits_1 ADD CONSTRAINT "visits_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID;
    ALTER TABLE public.visits_1 VALIDATE CONSTRAINT visits_user_id_fkey;
    ALTER TABLE visits ADD CONSTRAINT "visits_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE;

check version=170000
ALTER TABLE visits ADD FOREIGN KEY (user_id) REFERENCES users
----
rewrite
  adding a foreign key blocks writes to "visits" and "users" while every row is checked; before PostgreSQL 18 add it NOT VALID to each partition and validate it there, then add it to the parent
  detail: Table public.visits has an unknown number of rows (it was never analyzed) in 1 partition, 64 kB.
  hint: Each by itself, outside of a transaction:
    ALTER TABLE public.visits_1 ADD CONSTRAINT "visits_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users NOT VALID;
    ALTER TABLE public.visits_1 VALIDATE CONSTRAINT visits_user_id_fkey;
    ALTER TABLE visits ADD CONSTRAINT "visits_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users;

# There is no NOT VALID for the server to take.
check version=170000
ALTER TABLE visits ADD CONSTRAINT k FOREIGN KEY (user_id) REFERENCES users NOT VALID, VALIDATE CONSTRAINT k
----
pass

# The server refuses it for a foreign table, before it looks at a row.
setup
CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere; CREATE TABLE far (a int) PARTITION BY LIST (a);
CREATE FOREIGN TABLE far_1 PARTITION OF far FOR VALUES IN (1) SERVER nowhere; CREATE TABLE near PARTITION OF far FOR VALUES IN (2); INSERT INTO near VALUES (2)
----

check version=170000
ALTER TABLE far ADD FOREIGN KEY (a) REFERENCES users
----
pass
