setup
CREATE TABLE events (at int, id int) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (1000); INSERT INTO events SELECT g, g FROM generate_series(1, 100) g; ANALYZE events_1
----

# Nobody can use the whole table, if only for a moment.
check version=170000
ALTER TABLE events DETACH PARTITION events_1
----
rewrite
  detaching "events_1" locks readers and writers out of "events"; use DETACH PARTITION ... CONCURRENTLY
  detail: Table public.events has about 100 rows in 1 partition, 8192 bytes.
  hint: ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY;

# Nobody waits.
check
ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY
----
pass

check version=170000
ALTER TABLE events DETACH PARTITION events_1 FINALIZE
----
pass

locks major=14
ALTER TABLE events DETACH PARTITION events_1
----
events AccessExclusiveLock
events_1 AccessExclusiveLock

check unknown
ALTER TABLE events DETACH PARTITION events_1
----
rewrite
  detaching "events_1" locks readers and writers out of "events"; use DETACH PARTITION ... CONCURRENTLY
  hint: ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY;
  unknown: the server's version, the size of "events", and whether it has a default partition

# Inside a transaction the server has no concurrent form.
begin
----

check ledger version=170000
ALTER TABLE events DETACH PARTITION events_1
----
warn
  detaching "events_1" locks readers and writers out of "events"; use DETACH PARTITION ... CONCURRENTLY outside of the transaction
  detail: Table public.events has about 100 rows in 1 partition, 8192 bytes.
  hint: ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

rollback
----

# It has none before 14 either.
check version=130000
ALTER TABLE events DETACH PARTITION events_1
----
pass

check version=170000 small
ALTER TABLE events DETACH PARTITION events_1
----
pass

check version=170000
ALTER TABLE events DETACH PARTITION missing
----
pass

setup
CREATE TABLE other (at int, id int); CREATE TABLE events_rest PARTITION OF events DEFAULT
----

check version=170000
ALTER TABLE events DETACH PARTITION other
----
pass

# Nor while there is a default partition.
check version=170000
ALTER TABLE events DETACH PARTITION events_1
----
pass
