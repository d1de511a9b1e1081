setup
CREATE TABLE orders (id int PRIMARY KEY, amount int); INSERT INTO orders SELECT g, g FROM generate_series(1, 100) g;
ANALYZE orders
----

# Nobody can use the table until every row is checked.
check
ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount > 0)
----
rewrite
  adding constraint "orders_amount" blocks reads and writes of "orders" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount > 0) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_amount;

# New rows are checked from now on; VALIDATE CONSTRAINT checks the old ones and lets everybody work.
check
ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount > 0) NOT VALID
----
pass

locks
ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount > 0)
----
orders AccessExclusiveLock

check
alter table only "orders" add check (amount > 0), add column note text
----
rewrite
  adding a check blocks reads and writes of "orders" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: alter table only "orders" add CONSTRAINT "orders_amount_check" check (amount > 0) NOT VALID, add column note text;
    ALTER TABLE "orders" VALIDATE CONSTRAINT orders_amount_check;

check
ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount > 0) NOT VALID, VALIDATE CONSTRAINT orders_amount
----
rewrite
  adding constraint "orders_amount" blocks reads and writes of "orders" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount > 0) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_amount;

begin
----

check
ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount > 0)
----
block
  adding constraint "orders_amount" blocks reads and writes of "orders" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT outside of the transaction
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount > 0) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_amount;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.

check ledger
ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount > 0)
----
rewrite
  adding constraint "orders_amount" blocks reads and writes of "orders" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT outside of the transaction
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount > 0) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_amount;

rollback
----

begin
ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount > 0) NOT VALID
----

check
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount
----
block
  validating constraint "orders_amount" in a transaction that holds a strong lock keeps others waiting for the whole check; validate it outside of the transaction
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders VALIDATE CONSTRAINT orders_amount;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.

check ledger
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount
----
rewrite
  validating constraint "orders_amount" in a transaction that holds a strong lock keeps others waiting for the whole check; validate it outside of the transaction
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders VALIDATE CONSTRAINT orders_amount;

rollback
----

# Alone it takes a lock that lets everybody work.
setup
ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount > 0) NOT VALID
----

check
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount
----
pass

locks
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount
----
orders ShareUpdateExclusiveLock

# One that is valid already is not read again.
setup
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount
----

begin
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE
----

check
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount
----
pass

rollback
----

setup
CREATE TABLE empty (a int)
----

check
ALTER TABLE empty ADD CHECK (a > 0)
----
pass

begin
CREATE TABLE fresh AS SELECT 1 AS a
----

check
ALTER TABLE fresh ADD CHECK (a > 0)
----
pass

rollback
----

check small
ALTER TABLE orders ADD CHECK (amount > 0)
----
pass

# The rows are in the children.
setup
CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (1)
----

check
ALTER TABLE parent ADD CHECK (a > 0)
----
rewrite
  adding a check blocks reads and writes of "parent" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.parent has an unknown number of rows (it was never analyzed), its children's included, 8192 bytes.
  hint: ALTER TABLE parent ADD CONSTRAINT "parent_a_check" CHECK (a > 0) NOT VALID;
    ALTER TABLE parent VALIDATE CONSTRAINT parent_a_check;

setup
CREATE TABLE events (at int) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (1000); INSERT INTO events VALUES (1)
----

check
ALTER TABLE events ADD CHECK (at > 0)
----
rewrite
  adding a check blocks reads and writes of "events" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.events has an unknown number of rows (it was never analyzed) in 1 partition, 8192 bytes.
  hint: ALTER TABLE events ADD CONSTRAINT "events_at_check" CHECK (at > 0) NOT VALID;
    ALTER TABLE events VALIDATE CONSTRAINT events_at_check;

locks
ALTER TABLE events ADD CHECK (at > 0) NOT VALID
----
events AccessExclusiveLock
events_1 AccessExclusiveLock

check unknown
ALTER TABLE orders ADD CHECK (amount > 0)
----
rewrite
  adding a check blocks reads and writes of "orders" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  hint: ALTER TABLE orders ADD CONSTRAINT "orders_amount_check" CHECK (amount > 0) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_check;
  unknown: the size of table "orders"

check unknown
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount
----
pass

check
/* pgsluice:allow check-validated-at-once reason="read-only table" */ ALTER TABLE orders ADD CHECK (amount > 0)
----
pass
  overridden: adding a check blocks reads and writes of "orders" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT

# What else the statement does stays, and each check is validated by itself.
check
ALTER TABLE orders ADD COLUMN note text, ADD CONSTRAINT orders_a CHECK (amount > 0), ADD CONSTRAINT orders_b CHECK (amount > 1)
----
rewrite
  adding constraint "orders_a" blocks reads and writes of "orders" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD COLUMN note text, ADD CONSTRAINT orders_a CHECK (amount > 0) NOT VALID, ADD CONSTRAINT orders_b CHECK (amount > 1) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_a;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_b;

# The validation that stands in the same statement goes with it.
check
ALTER TABLE orders ADD CONSTRAINT orders_a CHECK (amount > 0) NOT VALID, VALIDATE CONSTRAINT orders_a, ADD COLUMN note text
----
rewrite
  adding constraint "orders_a" blocks reads and writes of "orders" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_a CHECK (amount > 0) NOT VALID, ADD COLUMN note text;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_a;

# The same without a server.
check unknown
ALTER TABLE orders ADD COLUMN note text, ADD CHECK (amount > 0), ADD CHECK (amount > 1)
----
rewrite
  adding a check blocks reads and writes of "orders" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  hint: ALTER TABLE orders ADD COLUMN note text, ADD CONSTRAINT "orders_amount_check" CHECK (amount > 0) NOT VALID, ADD CONSTRAINT "orders_amount_check1" CHECK (amount > 1) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_check;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_check1;
  unknown: the size of table "orders"
