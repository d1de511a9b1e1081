setup
CREATE TABLE orders (id int PRIMARY KEY, a int, b int, c int, d int); INSERT INTO orders SELECT g, g, g, g, g FROM generate_series(1, 100) g; ANALYZE orders
----

# Nobody can use the table until every row is read.
check version=150000
ALTER TABLE orders ALTER COLUMN a SET NOT NULL
----
rewrite
  making "a" NOT NULL blocks reads and writes of "orders" while every row is checked; prove it first by CHECK (a IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_a_check_null CHECK (a IS NOT NULL) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_a_check_null;
    ALTER TABLE orders ALTER COLUMN a SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_a_check_null;

setup
ALTER TABLE orders ADD CONSTRAINT orders_b CHECK (b IS NOT NULL)
----

# A valid check proves it: nothing is read.
check
ALTER TABLE orders ALTER COLUMN b SET NOT NULL
----
pass

locks
ALTER TABLE orders ALTER COLUMN a SET NOT NULL
----
orders AccessExclusiveLock

locks
ALTER TABLE orders ADD CHECK (a IS NOT NULL) NOT VALID
----
orders AccessExclusiveLock

check version=180000
ALTER TABLE orders ALTER COLUMN a SET NOT NULL
----
rewrite
  making "a" NOT NULL blocks reads and writes of "orders" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_a_not_null NOT NULL a NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_a_not_null;

# It is so already.
check
ALTER TABLE orders ALTER id SET NOT NULL
----
pass

# What the same statement drops proves nothing.
check version=150000
ALTER TABLE orders ALTER b SET NOT NULL, DROP CONSTRAINT orders_b
----
rewrite
  making "b" NOT NULL blocks reads and writes of "orders" while every row is checked; prove it first by CHECK (b IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders DROP CONSTRAINT orders_b;
    ALTER TABLE orders ADD CONSTRAINT orders_b_check_null CHECK (b IS NOT NULL) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_b_check_null;
    ALTER TABLE orders ALTER COLUMN b SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_b_check_null;

setup
ALTER TABLE orders ADD CONSTRAINT orders_c CHECK (c IS NOT NULL AND c > 0) NOT VALID, ADD CONSTRAINT orders_d CHECK (d > 0 OR d IS NOT NULL)
----

check
ALTER TABLE orders ALTER c SET NOT NULL
----
rewrite
  making "c" NOT NULL blocks reads and writes of "orders" while every row is checked; prove it first by VALIDATE CONSTRAINT orders_c
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders VALIDATE CONSTRAINT orders_c;
    ALTER TABLE orders ALTER COLUMN c SET NOT NULL;

# Not every check that mentions it proves it.
check version=150000
alter table only "orders" alter d set not null
----
rewrite
  making "d" NOT NULL blocks reads and writes of "orders" while every row is checked; prove it first by CHECK (d IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE "orders" ADD CONSTRAINT orders_d_check_null CHECK (d IS NOT NULL) NOT VALID;
    ALTER TABLE "orders" VALIDATE CONSTRAINT orders_d_check_null;
    ALTER TABLE "orders" ALTER COLUMN d SET NOT NULL;
    ALTER TABLE "orders" DROP CONSTRAINT orders_d_check_null;

check unknown
ALTER TABLE orders ALTER a SET NOT NULL
----
rewrite
  making "a" NOT NULL blocks reads and writes of "orders" while every row is checked; prove it first by CHECK (a IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT
  hint: ALTER TABLE orders ADD CONSTRAINT orders_a_check_null CHECK (a IS NOT NULL) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_a_check_null;
    ALTER TABLE orders ALTER COLUMN a SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_a_check_null;
  unknown: the size of table "orders", and whether a valid check proves that "a" has no NULL

begin
----

check version=150000
ALTER TABLE orders ALTER a SET NOT NULL
----
block
  making "a" NOT NULL blocks reads and writes of "orders" while every row is checked; prove it first by CHECK (a IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT outside of the transaction
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_a_check_null CHECK (a IS NOT NULL) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_a_check_null;
    ALTER TABLE orders ALTER COLUMN a SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_a_check_null;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.

check version=150000 ledger
ALTER TABLE orders ALTER a SET NOT NULL
----
rewrite
  making "a" NOT NULL blocks reads and writes of "orders" while every row is checked; prove it first by CHECK (a IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT outside of the transaction
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_a_check_null CHECK (a IS NOT NULL) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_a_check_null;
    ALTER TABLE orders ALTER COLUMN a SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_a_check_null;

rollback
----

check small
ALTER TABLE orders ALTER a SET NOT NULL
----
pass

check
ALTER TABLE orders ALTER nothing SET NOT NULL
----
pass

# Since 18 a NOT NULL can be NOT VALID, and SET NOT NULL reads the table for it.
setup major=18
ALTER TABLE orders ADD CONSTRAINT orders_a_there NOT NULL a NOT VALID
----

check major=18
ALTER TABLE orders ALTER a SET NOT NULL
----
rewrite
  making "a" NOT NULL blocks reads and writes of "orders" while every row is checked; it is there and NOT VALID: use VALIDATE CONSTRAINT orders_a_there
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders VALIDATE CONSTRAINT orders_a_there;

# A primary key made of an index is checked, too.
setup
CREATE TABLE keyless (id int, b int NOT NULL); INSERT INTO keyless VALUES (1, 1); CREATE UNIQUE INDEX keyless_id ON keyless (id); CREATE UNIQUE INDEX keyless_b ON keyless (b)
----

check version=150000
ALTER TABLE keyless ADD CONSTRAINT pk PRIMARY KEY USING INDEX keyless_id
----
rewrite
  making "id" NOT NULL blocks reads and writes of "keyless" while every row is checked; prove it first by CHECK (id IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT
  detail: Table public.keyless has about 1 rows, 8192 bytes.
  hint: ALTER TABLE keyless ADD CONSTRAINT keyless_id_check_null CHECK (id IS NOT NULL) NOT VALID;
    ALTER TABLE keyless VALIDATE CONSTRAINT keyless_id_check_null;
    ALTER TABLE keyless ALTER COLUMN id SET NOT NULL;
    ALTER TABLE keyless DROP CONSTRAINT keyless_id_check_null;
    ALTER TABLE keyless ADD CONSTRAINT pk PRIMARY KEY USING INDEX keyless_id;

check
ALTER TABLE keyless ADD PRIMARY KEY USING INDEX keyless_b
----
pass

begin
CREATE TABLE fresh AS SELECT 1 AS a
----

check
ALTER TABLE fresh ALTER a SET NOT NULL
----
pass

rollback
----

# PostgreSQL 18's own form of it.
check
ALTER TABLE orders ADD CONSTRAINT a_given NOT NULL a
----
block
  adding NOT NULL to "a" blocks reads and writes of "orders" while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD CONSTRAINT a_given NOT NULL a NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT a_given;

check
ALTER TABLE orders ADD CONSTRAINT a_given NOT NULL a NOT VALID
----
pass

locks major=18
ALTER TABLE orders DROP CONSTRAINT orders_a_there, ADD CONSTRAINT a_given NOT NULL a NOT VALID
----
orders AccessExclusiveLock

# What else the statement does stays, and each column is proven.
check version=150000 before=18
ALTER TABLE orders ADD COLUMN note text, ALTER COLUMN a SET NOT NULL, ALTER COLUMN b SET NOT NULL
----
rewrite
  making "a" NOT NULL blocks reads and writes of "orders" while every row is checked; prove it first by CHECK (a IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 8192 bytes.
  hint: ALTER TABLE orders ADD COLUMN note text, ALTER COLUMN b SET NOT NULL;
    ALTER TABLE orders ADD CONSTRAINT orders_a_check_null CHECK (a IS NOT NULL) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_a_check_null;
    ALTER TABLE orders ALTER COLUMN a SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_a_check_null;

# The same without a server.
check unknown
ALTER TABLE orders ADD COLUMN note text, ALTER a SET NOT NULL, ALTER b SET NOT NULL
----
rewrite
  making "a" NOT NULL blocks reads and writes of "orders" while every row is checked; prove it first by CHECK (a IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT
  hint: ALTER TABLE orders ADD COLUMN note text;
    ALTER TABLE orders ADD CONSTRAINT orders_a_check_null CHECK (a IS NOT NULL) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_a_check_null;
    ALTER TABLE orders ALTER COLUMN a SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_a_check_null;
    ALTER TABLE orders ADD CONSTRAINT orders_b_check_null CHECK (b IS NOT NULL) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_b_check_null;
    ALTER TABLE orders ALTER COLUMN b SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_b_check_null;
  unknown: the size of table "orders", and whether a valid check proves that "a" has no NULL
