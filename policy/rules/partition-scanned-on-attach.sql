setup
CREATE TABLE events (at date NOT NULL, id int, what text) PARTITION BY RANGE (at);
CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE events_2024 (at date NOT NULL, id int, what text); INSERT INTO events_2024 SELECT '2024-05-05', g FROM generate_series(1, 100) g; ANALYZE events_2024
----

# Every row is checked while nobody else can use the table.
check
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
rewrite
  attaching "events_2024" keeps everybody out of "events_2024" while every row is checked; prove the bound with a CHECK first
  detail: Table public.events_2024 has about 100 rows, 16 kB.
  hint: ALTER TABLE public.events_2024 ADD CONSTRAINT events_2024_bound CHECK ("at" IS NOT NULL AND ("at" >= CAST('2024-01-01' AS date)) AND ("at" < CAST('2025-01-01' AS date))) NOT VALID;
    ALTER TABLE public.events_2024 VALIDATE CONSTRAINT events_2024_bound;
    ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    ALTER TABLE public.events_2024 DROP CONSTRAINT events_2024_bound;

locks
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
events ShareUpdateExclusiveLock
events_2024 AccessExclusiveLock

check unknown
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
rewrite
  attaching "events_2024" reads it, and the default partition, while nobody else can; prove the bound with CHECKs first
  unknown: the sizes of "events_2024" and of the default partition of "events", and their constraints

# A transaction may rely on the partition.
begin
----

check ledger
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
block
  attaching "events_2024" keeps everybody out of "events_2024" while every row is checked; prove the bound with a CHECK first outside of the transaction
  detail: Table public.events_2024 has about 100 rows, 16 kB.
  hint: ALTER TABLE public.events_2024 ADD CONSTRAINT events_2024_bound CHECK ("at" IS NOT NULL AND ("at" >= CAST('2024-01-01' AS date)) AND ("at" < CAST('2025-01-01' AS date))) NOT VALID;
    ALTER TABLE public.events_2024 VALIDATE CONSTRAINT events_2024_bound;
    ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    ALTER TABLE public.events_2024 DROP CONSTRAINT events_2024_bound;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

rollback
----

# A CHECK that proves the bound spares the scan, whatever it looks like.
setup
ALTER TABLE events_2024 ADD CHECK (at BETWEEN '2024-02-01' AND '2024-11-30') NOT VALID
----

# Not before it is validated.
check
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
rewrite
  attaching "events_2024" keeps everybody out of "events_2024" while every row is checked; prove the bound with a CHECK first
  detail: Table public.events_2024 has about 100 rows, 16 kB.
  hint: ALTER TABLE public.events_2024 ADD CONSTRAINT events_2024_bound CHECK ("at" IS NOT NULL AND ("at" >= CAST('2024-01-01' AS date)) AND ("at" < CAST('2025-01-01' AS date))) NOT VALID;
    ALTER TABLE public.events_2024 VALIDATE CONSTRAINT events_2024_bound;
    ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    ALTER TABLE public.events_2024 DROP CONSTRAINT events_2024_bound;

setup
ALTER TABLE events_2024 VALIDATE CONSTRAINT events_2024_at_check
----

check
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
pass

begin
----

check
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
pass

rollback
----

check
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-03-01') TO ('2025-01-01')
----
rewrite
  attaching "events_2024" keeps everybody out of "events_2024" while every row is checked; prove the bound with a CHECK first
  detail: Table public.events_2024 has about 100 rows, 16 kB.
  hint: ALTER TABLE public.events_2024 ADD CONSTRAINT events_2024_bound CHECK ("at" IS NOT NULL AND ("at" >= CAST('2024-03-01' AS date)) AND ("at" < CAST('2025-01-01' AS date))) NOT VALID;
    ALTER TABLE public.events_2024 VALIDATE CONSTRAINT events_2024_bound;
    ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-03-01') TO ('2025-01-01');
    ALTER TABLE public.events_2024 DROP CONSTRAINT events_2024_bound;

# The default partition is read, too.
setup
CREATE TABLE events_rest PARTITION OF events DEFAULT
----

check
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
pass

setup
INSERT INTO events SELECT '2030-01-01', g FROM generate_series(1, 100) g; ANALYZE events_rest
----

check
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
rewrite
  attaching "events_2024" keeps everybody out of "events_rest" while every row is checked; prove the bound with a CHECK first
  detail: Table public.events_2024 has about 100 rows, 16 kB.
    Table public.events_rest has about 100 rows, 16 kB.
  hint: ALTER TABLE public.events_rest ADD CONSTRAINT events_rest_bound CHECK (NOT ("at" IS NOT NULL AND ("at" >= CAST('2024-01-01' AS date)) AND ("at" < CAST('2025-01-01' AS date)))) NOT VALID;
    ALTER TABLE public.events_rest VALIDATE CONSTRAINT events_rest_bound;
    ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    ALTER TABLE public.events_rest DROP CONSTRAINT events_rest_bound;

locks
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
events ShareUpdateExclusiveLock
events_2024 AccessExclusiveLock
events_rest AccessExclusiveLock

check small
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
pass

setup
ALTER TABLE events_rest ADD CHECK (at >= '2030-01-01')
----

check
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
pass

# What the server says.
check
ALTER TABLE events ATTACH PARTITION missing FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
pass

check
ALTER TABLE events_2024 ATTACH PARTITION events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
pass

check
ALTER TABLE events ATTACH PARTITION events_2023 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
pass

# A new or empty table is read in no time.
setup
CREATE TABLE empty (LIKE events)
----

check
ALTER TABLE events ATTACH PARTITION empty FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
pass

begin
CREATE TABLE fresh AS SELECT * FROM events_2024; ALTER TABLE fresh ALTER at SET NOT NULL
----

check
ALTER TABLE events ATTACH PARTITION fresh FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
----
pass

rollback
----

# Every kind of key that can be written as a condition.
setup
CREATE TABLE lists (id int, what varchar(10)) PARTITION BY LIST (what); CREATE TABLE hashes (id int, what text) PARTITION BY HASH (id);
CREATE TABLE ranges (id int, what varchar(10)) PARTITION BY RANGE (id, what); CREATE TABLE part (id int, what varchar(10)); INSERT INTO part VALUES (1, 'x');
CREATE TABLE texts (id int, what text) PARTITION BY HASH (what); CREATE TABLE exprs (id int, what text) PARTITION BY RANGE ((id + 1));
CREATE TABLE cs (id int, what text) PARTITION BY RANGE (what COLLATE "C"); CREATE TABLE textpart (id int, what text); INSERT INTO textpart VALUES (1, 'x');
CREATE TABLE deep (id int, what varchar(10)) PARTITION BY LIST (id); CREATE TABLE deeper PARTITION OF deep FOR VALUES IN (1) PARTITION BY LIST (what)
----

check
ALTER TABLE lists ATTACH PARTITION part FOR VALUES IN ('x', NULL, 'it''s')
----
rewrite
  attaching "part" keeps everybody out of "part" while every row is checked; prove the bound with a CHECK first
  detail: Table public.part has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: ALTER TABLE public.part ADD CONSTRAINT part_bound CHECK ("what" IS NULL OR "what" = ANY (ARRAY[CAST('x' AS character varying(10)), CAST('it''s' AS character varying(10))])) NOT VALID;
    ALTER TABLE public.part VALIDATE CONSTRAINT part_bound;
    ALTER TABLE lists ATTACH PARTITION part FOR VALUES IN ('x', NULL, 'it''s');
    ALTER TABLE public.part DROP CONSTRAINT part_bound;

check
ALTER TABLE hashes ATTACH PARTITION textpart FOR VALUES WITH (MODULUS 1, REMAINDER 0)
----
rewrite
  attaching "textpart" keeps everybody out of "textpart" while every row is checked; prove the bound with a CHECK first
  detail: Table public.textpart has an unknown number of rows (it was never analyzed), 16 kB.
  hint: ALTER TABLE public.textpart ADD CONSTRAINT textpart_bound CHECK (pg_catalog.satisfies_hash_partition('"public"."hashes"'::regclass, 1, 0, "id")) NOT VALID;
    ALTER TABLE public.textpart VALIDATE CONSTRAINT textpart_bound;
    ALTER TABLE hashes ATTACH PARTITION textpart FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    ALTER TABLE public.textpart DROP CONSTRAINT textpart_bound;

check
ALTER TABLE ranges ATTACH PARTITION part FOR VALUES FROM (1, 'a') TO (1, MAXVALUE)
----
rewrite
  attaching "part" keeps everybody out of "part" while every row is checked; prove the bound with a CHECK first
  detail: Table public.part has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: ALTER TABLE public.part ADD CONSTRAINT part_bound CHECK ("id" IS NOT NULL AND "what" IS NOT NULL AND "id" = CAST(1 AS integer) AND ("what" >= CAST('a' AS character varying(10)))) NOT VALID;
    ALTER TABLE public.part VALIDATE CONSTRAINT part_bound;
    ALTER TABLE ranges ATTACH PARTITION part FOR VALUES FROM (1, 'a') TO (1, MAXVALUE);
    ALTER TABLE public.part DROP CONSTRAINT part_bound;

# There nobody but the server can write the condition.
check
ALTER TABLE texts ATTACH PARTITION textpart FOR VALUES WITH (MODULUS 1, REMAINDER 0)
----
block
  attaching "textpart" keeps everybody out of "textpart" while every row is checked; prove the bound with a CHECK first
  detail: Table public.textpart has an unknown number of rows (it was never analyzed), 16 kB.
    The condition has to be written by hand, because "texts" is partitioned by the hash of a text. What the server asks for, it shows of a partition that is there: SELECT pg_get_partition_constraintdef('...'::regclass).
  hint: ALTER TABLE public.textpart ADD CONSTRAINT textpart_bound CHECK (...) NOT VALID;
    ALTER TABLE public.textpart VALIDATE CONSTRAINT textpart_bound;
    ALTER TABLE texts ATTACH PARTITION textpart FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    ALTER TABLE public.textpart DROP CONSTRAINT textpart_bound;

check
ALTER TABLE exprs ATTACH PARTITION textpart FOR VALUES FROM (1) TO (100)
----
block
  attaching "textpart" keeps everybody out of "textpart" while every row is checked; prove the bound with a CHECK first
  detail: Table public.textpart has an unknown number of rows (it was never analyzed), 16 kB.
    The condition has to be written by hand, because "exprs" is partitioned by an expression, a domain, or another order than its columns have. What the server asks for, it shows of a partition that is there: SELECT pg_get_partition_constraintdef('...'::regclass).
  hint: ALTER TABLE public.textpart ADD CONSTRAINT textpart_bound CHECK (...) NOT VALID;
    ALTER TABLE public.textpart VALIDATE CONSTRAINT textpart_bound;
    ALTER TABLE exprs ATTACH PARTITION textpart FOR VALUES FROM (1) TO (100);
    ALTER TABLE public.textpart DROP CONSTRAINT textpart_bound;

check
ALTER TABLE cs ATTACH PARTITION textpart FOR VALUES FROM ('a') TO ('z')
----
block
  attaching "textpart" keeps everybody out of "textpart" while every row is checked; prove the bound with a CHECK first
  detail: Table public.textpart has an unknown number of rows (it was never analyzed), 16 kB.
    The condition has to be written by hand, because "cs" is partitioned by an expression, a domain, or another order than its columns have. What the server asks for, it shows of a partition that is there: SELECT pg_get_partition_constraintdef('...'::regclass).
  hint: ALTER TABLE public.textpart ADD CONSTRAINT textpart_bound CHECK (...) NOT VALID;
    ALTER TABLE public.textpart VALIDATE CONSTRAINT textpart_bound;
    ALTER TABLE cs ATTACH PARTITION textpart FOR VALUES FROM ('a') TO ('z');
    ALTER TABLE public.textpart DROP CONSTRAINT textpart_bound;

check
ALTER TABLE deeper ATTACH PARTITION part FOR VALUES IN ('x')
----
block
  attaching "part" keeps everybody out of "part" while every row is checked; prove the bound with a CHECK first
  detail: Table public.part has an unknown number of rows (it was never analyzed), 8192 bytes.
    The condition has to be written by hand, because "deeper" is a partition itself, whose bound holds, too. What the server asks for, it shows of a partition that is there: SELECT pg_get_partition_constraintdef('...'::regclass).
  hint: ALTER TABLE public.part ADD CONSTRAINT part_bound CHECK (...) NOT VALID;
    ALTER TABLE public.part VALIDATE CONSTRAINT part_bound;
    ALTER TABLE deeper ATTACH PARTITION part FOR VALUES IN ('x');
    ALTER TABLE public.part DROP CONSTRAINT part_bound;

check
ALTER TABLE lists ATTACH PARTITION part DEFAULT
----
block
  attaching "part" keeps everybody out of "part" while every row is checked; prove the bound with a CHECK first
  detail: Table public.part has an unknown number of rows (it was never analyzed), 8192 bytes.
    The condition has to be written by hand, because the default partition takes what no other partition of "lists" takes. What the server asks for, it shows of a partition that is there: SELECT pg_get_partition_constraintdef('...'::regclass).
  hint: ALTER TABLE public.part ADD CONSTRAINT part_bound CHECK (...) NOT VALID;
    ALTER TABLE public.part VALIDATE CONSTRAINT part_bound;
    ALTER TABLE lists ATTACH PARTITION part DEFAULT;
    ALTER TABLE public.part DROP CONSTRAINT part_bound;

check
ALTER TABLE ranges ATTACH PARTITION part FOR VALUES FROM (length('x'), 'a') TO (1, MAXVALUE)
----
block
  attaching "part" keeps everybody out of "part" while every row is checked; prove the bound with a CHECK first
  detail: Table public.part has an unknown number of rows (it was never analyzed), 8192 bytes.
    The condition has to be written by hand, because length('x') is no constant. What the server asks for, it shows of a partition that is there: SELECT pg_get_partition_constraintdef('...'::regclass).
  hint: ALTER TABLE public.part ADD CONSTRAINT part_bound CHECK (...) NOT VALID;
    ALTER TABLE public.part VALIDATE CONSTRAINT part_bound;
    ALTER TABLE ranges ATTACH PARTITION part FOR VALUES FROM (length('x'), 'a') TO (1, MAXVALUE);
    ALTER TABLE public.part DROP CONSTRAINT part_bound;

# What the parent has and the partition lacks is made under the same locks.
setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1);
CREATE TABLE logs (at int, user_id int REFERENCES users, what text, PRIMARY KEY (at)) PARTITION BY RANGE (at); CREATE INDEX ON logs (what) INCLUDE (user_id); CREATE INDEX ON logs (lower(what));
CREATE TABLE logs_1 (at int NOT NULL CHECK (at > 0 AND at < 1000), user_id int, what text); INSERT INTO logs_1 VALUES (1, 1, 'x'); ANALYZE logs_1
----

check
ALTER TABLE logs ATTACH PARTITION logs_1 FOR VALUES FROM (1) TO (1000)
----
block
  attaching "logs_1" checks its foreign keys to tables that nobody can write to meanwhile; give it the foreign keys of "logs" first
  detail: Table public.logs_1 has about 1 rows, 16 kB.
  hint: ALTER TABLE public.logs_1 ADD CONSTRAINT logs_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) NOT VALID;
    ALTER TABLE public.logs_1 VALIDATE CONSTRAINT logs_user_id_fkey;
  attaching "logs_1" builds indexes on it while nobody else can use it; give it the indexes of "logs" first
  detail: Table public.logs_1 has about 1 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY ON public.logs_1 USING btree (lower(what));
    CREATE UNIQUE INDEX CONCURRENTLY logs_1_pkey ON public.logs_1 USING btree (at);
    ALTER TABLE public.logs_1 ADD CONSTRAINT "logs_1_pkey" PRIMARY KEY USING INDEX "logs_1_pkey";
    CREATE INDEX CONCURRENTLY ON public.logs_1 USING btree (what) INCLUDE (user_id);
  attaching "logs_1" keeps everybody out of "logs_1" while every row is checked; prove the bound with a CHECK first
  detail: Table public.logs_1 has about 1 rows, 16 kB.
  hint: ALTER TABLE public.logs_1 ADD CONSTRAINT logs_1_bound CHECK ("at" IS NOT NULL AND ("at" >= CAST(1 AS integer)) AND ("at" < CAST(1000 AS integer))) NOT VALID;
    ALTER TABLE public.logs_1 VALIDATE CONSTRAINT logs_1_bound;
    ALTER TABLE logs ATTACH PARTITION logs_1 FOR VALUES FROM (1) TO (1000);
    ALTER TABLE public.logs_1 DROP CONSTRAINT logs_1_bound;

setup
ALTER TABLE logs_1 ADD FOREIGN KEY (user_id) REFERENCES users; ALTER TABLE logs_1 ADD PRIMARY KEY (at); CREATE INDEX ON logs_1 (lower(what));
CREATE TABLE logs_rest PARTITION OF logs DEFAULT; INSERT INTO logs VALUES (2000); ALTER TABLE logs_rest ADD CHECK (at > 1000)
----

check
ALTER TABLE logs ATTACH PARTITION logs_1 FOR VALUES FROM (1) TO (1000)
----
block
  attaching "logs_1" builds indexes on it while nobody else can use it nor "logs_rest"; give it the indexes of "logs" first
  detail: Table public.logs_1 has about 1 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY ON public.logs_1 USING btree (what) INCLUDE (user_id);
  attaching "logs_1" keeps everybody out of "logs_1" while every row is checked; prove the bound with a CHECK first
  detail: Table public.logs_1 has about 1 rows, 16 kB.
    Table public.logs_rest has an unknown number of rows (it was never analyzed), 16 kB.
  hint: ALTER TABLE public.logs_1 ADD CONSTRAINT logs_1_bound CHECK ("at" IS NOT NULL AND ("at" >= CAST(1 AS integer)) AND ("at" < CAST(1000 AS integer))) NOT VALID;
    ALTER TABLE public.logs_1 VALIDATE CONSTRAINT logs_1_bound;
    ALTER TABLE logs ATTACH PARTITION logs_1 FOR VALUES FROM (1) TO (1000);
    ALTER TABLE public.logs_1 DROP CONSTRAINT logs_1_bound;

setup
CREATE INDEX ON logs_1 (what) INCLUDE (user_id)
----

check
ALTER TABLE logs ATTACH PARTITION logs_1 FOR VALUES FROM (1) TO (1000)
----
rewrite
  attaching "logs_1" keeps everybody out of "logs_1" while every row is checked; prove the bound with a CHECK first
  detail: Table public.logs_1 has about 1 rows, 16 kB.
    Table public.logs_rest has an unknown number of rows (it was never analyzed), 16 kB.
  hint: ALTER TABLE public.logs_1 ADD CONSTRAINT logs_1_bound CHECK ("at" IS NOT NULL AND ("at" >= CAST(1 AS integer)) AND ("at" < CAST(1000 AS integer))) NOT VALID;
    ALTER TABLE public.logs_1 VALIDATE CONSTRAINT logs_1_bound;
    ALTER TABLE logs ATTACH PARTITION logs_1 FOR VALUES FROM (1) TO (1000);
    ALTER TABLE public.logs_1 DROP CONSTRAINT logs_1_bound;
