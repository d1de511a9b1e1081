setup
CREATE TABLE events (at date, id int) PARTITION BY RANGE (at);
CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01'); INSERT INTO events SELECT '2023-05-05', g FROM generate_series(1, 100) g; ANALYZE events_2023
----

# Nobody can use the whole table, if only for a moment.
check
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
rewrite
  making "events_2024" locks readers and writers out of "events"; create it like its parent, then attach it
  detail: Table public.events has about 100 rows in 1 partition, 8192 bytes.
  hint: CREATE TABLE events_2024 (LIKE events INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS EXCLUDING COMMENTS);
    ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');

# The two locks of it, and those of what to use instead.
locks
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
events AccessExclusiveLock
events_2024 AccessExclusiveLock

locks
CREATE TABLE events_2024 (LIKE events); ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
events AccessShareLock
events ShareUpdateExclusiveLock
events_2024 AccessExclusiveLock

# In a transaction, too.
begin
----

check
CREATE TABLE public."Events 2024" PARTITION OF public.events FOR VALUES FROM (now()) TO ('2025-01-01') PARTITION BY LIST (id)
----
rewrite
  making "Events 2024" locks readers and writers out of "events"; create it like its parent, then attach it
  detail: Table public.events has about 100 rows in 1 partition, 8192 bytes.
  hint: CREATE TABLE public."Events 2024" (LIKE public.events INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS EXCLUDING COMMENTS) PARTITION BY LIST (id);
    ALTER TABLE public.events ATTACH PARTITION public."Events 2024" FOR VALUES FROM (now()) TO ('2025-01-01');

rollback
----

check unknown
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
rewrite
  making "events_2024" locks readers and writers out of "events"; create it like its parent, then attach it
  hint: CREATE TABLE events_2024 (LIKE events INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS EXCLUDING COMMENTS);
    ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
  unknown: the size of "events", and its default partition

# Columns or constraints of its own are beyond LIKE.
check
CREATE TABLE events_2024 PARTITION OF events (id DEFAULT 1) FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
pass

check
CREATE TABLE IF NOT EXISTS events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')
----
pass

check small
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
pass

check
CREATE TABLE events_2024 PARTITION OF missing FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
pass

check
CREATE TABLE other (a int)
----
pass

begin
CREATE TABLE fresh (a int) PARTITION BY LIST (a)
----

check
CREATE TABLE fresh_1 PARTITION OF fresh FOR VALUES IN (1)
----
pass

rollback
----

# The default partition is read to the end.
setup
CREATE TABLE events_rest PARTITION OF events DEFAULT
----

check
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
rewrite
  making "events_2024" locks readers and writers out of "events"; create it like its parent, then attach it
  detail: Table public.events has about 100 rows in 2 partitions, 8192 bytes.
  hint: CREATE TABLE events_2024 (LIKE events INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS EXCLUDING COMMENTS);
    ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');

setup
INSERT INTO events SELECT '2030-05-05', g FROM generate_series(1, 100) g; ANALYZE events_rest
----

check
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
rewrite
  making "events_2024" locks readers and writers out of "events", and of its default partition while every row of that is checked; prove the bound with a CHECK first
  detail: Table public.events_rest has about 100 rows, 8192 bytes.
  hint: ALTER TABLE public.events_rest ADD CONSTRAINT events_rest_bound CHECK (NOT ("at" IS NOT NULL AND ("at" >= CAST('2024-01-01' AS date)) AND ("at" < CAST('2025-01-01' AS date)))) NOT VALID;
    ALTER TABLE public.events_rest VALIDATE CONSTRAINT events_rest_bound;
    CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    ALTER TABLE public.events_rest DROP CONSTRAINT events_rest_bound;

check
CREATE TABLE events_2024 PARTITION OF events (id DEFAULT 1) FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
block
  making "events_2024" locks readers and writers out of "events", and of its default partition while every row of that is checked; prove the bound with a CHECK first
  detail: Table public.events_rest has about 100 rows, 8192 bytes.
  hint: ALTER TABLE public.events_rest ADD CONSTRAINT events_rest_bound CHECK (NOT ("at" IS NOT NULL AND ("at" >= CAST('2024-01-01' AS date)) AND ("at" < CAST('2025-01-01' AS date)))) NOT VALID;
    ALTER TABLE public.events_rest VALIDATE CONSTRAINT events_rest_bound;
    CREATE TABLE events_2024 PARTITION OF events (id DEFAULT 1) FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    ALTER TABLE public.events_rest DROP CONSTRAINT events_rest_bound;

begin
----

check ledger
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
block
  making "events_2024" locks readers and writers out of "events", and of its default partition while every row of that is checked; prove the bound with a CHECK first outside of the transaction
  detail: Table public.events_rest has about 100 rows, 8192 bytes.
  hint: ALTER TABLE public.events_rest ADD CONSTRAINT events_rest_bound CHECK (NOT ("at" IS NOT NULL AND ("at" >= CAST('2024-01-01' AS date)) AND ("at" < CAST('2025-01-01' AS date)))) NOT VALID;
    ALTER TABLE public.events_rest VALIDATE CONSTRAINT events_rest_bound;
    CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    ALTER TABLE public.events_rest DROP CONSTRAINT events_rest_bound;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

rollback
----

setup
ALTER TABLE events_rest ADD CHECK (at >= '2030-01-01')
----

# Proven already.
check
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
rewrite
  making "events_2024" locks readers and writers out of "events"; create it like its parent, then attach it
  detail: Table public.events has about 200 rows in 2 partitions, 16 kB.
  hint: CREATE TABLE events_2024 (LIKE events INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS EXCLUDING COMMENTS);
    ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
