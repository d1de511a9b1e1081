setup
CREATE TABLE events (at int, id int) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (1000); CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (1000) TO (2000);
INSERT INTO events SELECT g, g FROM generate_series(1, 1999) g; ANALYZE events_1, events_2
----

# Nobody can use the whole table, if only for a moment.
check version=170000
DROP TABLE events_1
----
rewrite
  dropping "events_1" locks readers and writers out of "events"; use DETACH PARTITION ... CONCURRENTLY first
  detail: Table public.events has about 1,999 rows in 2 partitions, 128 kB.
  hint: ALTER TABLE public.events DETACH PARTITION public.events_1 CONCURRENTLY;
    DROP TABLE events_1;

locks
DROP TABLE events_1
----
(uncommitted) AccessExclusiveLock
events AccessExclusiveLock

check version=170000
drop table if exists public.events_1, events_2 cascade
----
warn
  dropping "events_1" locks readers and writers out of "events"; use DETACH PARTITION ... CONCURRENTLY first, in a statement of its own
  detail: Table public.events has about 1,999 rows in 2 partitions, 128 kB.
  hint: ALTER TABLE public.events DETACH PARTITION public.events_1 CONCURRENTLY;
    drop table if exists public.events_1 cascade;

begin
----

check version=170000
DROP TABLE events_1
----
warn
  dropping "events_1" locks readers and writers out of "events"; use DETACH PARTITION ... CONCURRENTLY first outside of the transaction
  detail: Table public.events has about 1,999 rows in 2 partitions, 128 kB.
  hint: ALTER TABLE public.events DETACH PARTITION public.events_1 CONCURRENTLY;
    DROP TABLE events_1;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

rollback
----

check version=130000
DROP TABLE events_1
----
pass

check version=170000
DROP TABLE events
----
pass

check version=170000
DROP TABLE missing
----
pass

check version=170000 small
DROP TABLE events_1
----
pass

check unknown
DROP TABLE events_1
----
pass

setup
CREATE TABLE events_rest PARTITION OF events DEFAULT; CREATE TABLE other (a int)
----

check version=170000
DROP TABLE events_1
----
pass

check version=170000
DROP TABLE other
----
pass
