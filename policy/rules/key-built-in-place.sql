setup
CREATE TABLE orders (id int, number int NOT NULL, note text); INSERT INTO orders SELECT g, g, g FROM generate_series(1, 100) g; ANALYZE orders
----

# The table is locked until its index is built.
check
ALTER TABLE orders ADD CONSTRAINT orders_number UNIQUE (number)
----
rewrite
  adding constraint "orders_number" blocks reads and writes of "orders" while its index is built; build it with CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: CREATE UNIQUE INDEX CONCURRENTLY "orders_number" ON orders ("number");
    ALTER TABLE orders ADD CONSTRAINT "orders_number" UNIQUE USING INDEX "orders_number";

setup
CREATE UNIQUE INDEX orders_note ON orders (note)
----

# The index is there: the constraint takes it over in a moment.
check
ALTER TABLE orders ADD CONSTRAINT orders_note_key UNIQUE USING INDEX orders_note
----
pass

locks
ALTER TABLE orders ADD CONSTRAINT orders_number UNIQUE (number)
----
orders AccessExclusiveLock
orders ShareLock
orders_number AccessExclusiveLock

locks
ALTER TABLE orders ADD CONSTRAINT orders_note_key UNIQUE USING INDEX orders_note
----
orders AccessExclusiveLock
orders_note_key AccessShareLock
orders_note_key ShareUpdateExclusiveLock

check
alter table only orders add unique (note, "number") include (id) with (fillfactor = 80) deferrable initially deferred, add column x int
----
rewrite
  adding a unique constraint blocks reads and writes of "orders" while its index is built; build it with CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: alter table only orders add column x int;
    CREATE UNIQUE INDEX CONCURRENTLY "orders_note_number_id_key" ON orders ("note", "number") INCLUDE ("id") WITH (fillfactor = 80);
    ALTER TABLE orders ADD CONSTRAINT "orders_note_number_id_key" UNIQUE USING INDEX "orders_note_number_id_key" DEFERRABLE INITIALLY DEFERRED;

check
ALTER TABLE orders ADD PRIMARY KEY (number)
----
rewrite
  adding a primary key blocks reads and writes of "orders" while its index is built; build it with CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: CREATE UNIQUE INDEX CONCURRENTLY "orders_pkey" ON orders ("number");
    ALTER TABLE orders ADD CONSTRAINT "orders_pkey" PRIMARY KEY USING INDEX "orders_pkey";

# A column that may be NULL is proven first.
check version=150000
ALTER TABLE orders ADD PRIMARY KEY (number, id)
----
rewrite
  adding a primary key blocks reads and writes of "orders" while its index is built; build it with CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_id_check_null CHECK (id IS NOT NULL) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_id_check_null;
    ALTER TABLE orders ALTER COLUMN id SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_id_check_null;
    CREATE UNIQUE INDEX CONCURRENTLY "orders_pkey" ON orders ("number", "id");
    ALTER TABLE orders ADD CONSTRAINT "orders_pkey" PRIMARY KEY USING INDEX "orders_pkey";

check version=180000
ALTER TABLE orders ADD PRIMARY KEY (number, id)
----
rewrite
  adding a primary key blocks reads and writes of "orders" while its index is built; build it with CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: ALTER TABLE orders ADD CONSTRAINT orders_id_not_null NOT NULL id NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_id_not_null;
    CREATE UNIQUE INDEX CONCURRENTLY "orders_pkey" ON orders ("number", "id");
    ALTER TABLE orders ADD CONSTRAINT "orders_pkey" PRIMARY KEY USING INDEX "orders_pkey";

check unknown
ALTER TABLE orders ADD PRIMARY KEY (number)
----
rewrite
  adding a primary key blocks reads and writes of "orders" while its index is built; build it with CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX
  hint: ALTER TABLE orders ADD CONSTRAINT orders_number_check_null CHECK (number IS NOT NULL) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_number_check_null;
    ALTER TABLE orders ALTER COLUMN number SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_number_check_null;
    CREATE UNIQUE INDEX CONCURRENTLY "orders_pkey" ON orders ("number");
    ALTER TABLE orders ADD CONSTRAINT "orders_pkey" PRIMARY KEY USING INDEX "orders_pkey";
  unknown: the size of table "orders"

begin
----

check
ALTER TABLE orders ADD UNIQUE (number)
----
block
  adding a unique constraint blocks reads and writes of "orders" while its index is built; build it with CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX outside of the transaction
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: CREATE UNIQUE INDEX CONCURRENTLY "orders_number_key" ON orders ("number");
    ALTER TABLE orders ADD CONSTRAINT "orders_number_key" UNIQUE USING INDEX "orders_number_key";
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.

check ledger
ALTER TABLE orders ADD UNIQUE (number)
----
rewrite
  adding a unique constraint blocks reads and writes of "orders" while its index is built; build it with CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX outside of the transaction
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: CREATE UNIQUE INDEX CONCURRENTLY "orders_number_key" ON orders ("number");
    ALTER TABLE orders ADD CONSTRAINT "orders_number_key" UNIQUE USING INDEX "orders_number_key";

rollback
----

check small
ALTER TABLE orders ADD UNIQUE (number)
----
pass

begin
CREATE TABLE fresh AS SELECT 1 AS a
----

check
ALTER TABLE fresh ADD PRIMARY KEY (a)
----
pass

rollback
----

# The server refuses these at once.
setup
CREATE TABLE keyed (id int PRIMARY KEY, a int); INSERT INTO keyed VALUES (1, 1)
----

check
ALTER TABLE keyed ADD PRIMARY KEY (a)
----
pass

check
ALTER TABLE nothing ADD PRIMARY KEY (a)
----
pass

setup
CREATE TABLE events (at int NOT NULL, what text) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (100);
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (at); CREATE TABLE events_2a PARTITION OF events_2 DEFAULT;
INSERT INTO events VALUES (1, 'x')
----

check
ALTER TABLE events ADD PRIMARY KEY (at)
----
rewrite
  adding a primary key blocks reads and writes of "events" while its index is built; add it to ONLY events, then to its partitions one by one, and attach those
  detail: Table public.events has an unknown number of rows (it was never analyzed) in 3 partitions, 24 kB.
  hint: Each by itself, outside of a transaction:
    ALTER TABLE ONLY public.events ADD CONSTRAINT "events_pkey" PRIMARY KEY ("at");
    CREATE UNIQUE INDEX CONCURRENTLY "events_1_pkey" ON public.events_1 ("at");
    ALTER TABLE public.events_1 ADD CONSTRAINT "events_1_pkey" PRIMARY KEY USING INDEX "events_1_pkey";
    ALTER INDEX public.events_pkey ATTACH PARTITION public.events_1_pkey;
    ALTER TABLE ONLY public.events_2 ADD CONSTRAINT "events_2_pkey" PRIMARY KEY ("at");
    ALTER INDEX public.events_pkey ATTACH PARTITION public.events_2_pkey;
    CREATE UNIQUE INDEX CONCURRENTLY "events_2a_pkey" ON public.events_2a ("at");
    ALTER TABLE public.events_2a ADD CONSTRAINT "events_2a_pkey" PRIMARY KEY USING INDEX "events_2a_pkey";
    ALTER INDEX public.events_2_pkey ATTACH PARTITION public.events_2a_pkey;

# By itself it has no rows.
check
ALTER TABLE ONLY events ADD UNIQUE (at)
----
pass

check
/* pgsluice:allow key-built-in-place reason="read-only table" */ ALTER TABLE orders ADD UNIQUE (number)
----
pass
  overridden: adding a unique constraint blocks reads and writes of "orders" while its index is built; build it with CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX

# PostgreSQL 18: such a key is not made of an index.
check
ALTER TABLE orders ADD CONSTRAINT orders_when UNIQUE (number, during WITHOUT OVERLAPS)
----
block
  adding constraint "orders_when" blocks reads and writes of "orders" while its index is built; a key WITHOUT OVERLAPS cannot take over an index: do it in a maintenance window, or on a new table that replaces it
  detail: Table public.orders has about 100 rows, 16 kB.

# What else the statement does stays, and each key gets its index.
check
ALTER TABLE orders ADD COLUMN more text, ADD CONSTRAINT orders_number UNIQUE (number), ADD UNIQUE (note)
----
rewrite
  adding constraint "orders_number" blocks reads and writes of "orders" while its index is built; build it with CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: ALTER TABLE orders ADD COLUMN more text;
    CREATE UNIQUE INDEX CONCURRENTLY "orders_number" ON orders ("number");
    ALTER TABLE orders ADD CONSTRAINT "orders_number" UNIQUE USING INDEX "orders_number";
    CREATE UNIQUE INDEX CONCURRENTLY "orders_note_key" ON orders ("note");
    ALTER TABLE orders ADD CONSTRAINT "orders_note_key" UNIQUE USING INDEX "orders_note_key";

# The same without a server.
check unknown
ALTER TABLE orders ADD COLUMN more text, ADD UNIQUE (note)
----
rewrite
  adding a unique constraint blocks reads and writes of "orders" while its index is built; build it with CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX
  hint: ALTER TABLE orders ADD COLUMN more text;
    CREATE UNIQUE INDEX CONCURRENTLY "orders_note_key" ON orders ("note");
    ALTER TABLE orders ADD CONSTRAINT "orders_note_key" UNIQUE USING INDEX "orders_note_key";
  unknown: the size of table "orders"

# PostgreSQL 14.0 to 14.3 corrupt concurrent builds.
setup
CREATE TABLE keyless (a int NOT NULL); INSERT INTO keyless SELECT generate_series(1, 100); ANALYZE keyless
----

check version=140003
ALTER TABLE keyless ADD UNIQUE (a)
----
block
  adding a unique constraint blocks reads and writes of "keyless" while its index is built; build it concurrently after an upgrade to PostgreSQL 14.4 or later: 14.0 to 14.3 can corrupt an index that is built concurrently
  detail: Table public.keyless has about 100 rows, 8192 bytes.
