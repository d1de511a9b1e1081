setup
CREATE TABLE users (id int PRIMARY KEY, email text, score int, EXCLUDE (score WITH =));
INSERT INTO users SELECT g, g || '@example.com', g FROM generate_series(1, 100) g; CREATE INDEX users_email ON users (email); ANALYZE users
----

# Nobody can write, and hardly anybody can read, until it is done.
check
REINDEX INDEX users_email
----
rewrite
  rebuilding index "users_email" blocks writes to "users", and most reads, until it is done; use REINDEX ... CONCURRENTLY
  detail: Table public.users has about 100 rows, 16 kB.
  hint: REINDEX INDEX CONCURRENTLY users_email;

# Nobody waits.
check
REINDEX INDEX CONCURRENTLY users_email
----
pass

check
reindex (verbose) table public.users
----
rewrite
  rebuilding the indexes of "users" blocks writes to it, and most reads, until it is done; use REINDEX ... CONCURRENTLY
  detail: Table public.users has about 100 rows, 16 kB.
    The index of exclusion constraint users_score_excl has no concurrent rebuild and is skipped.
  hint: reindex (verbose) table CONCURRENTLY public.users;

locks
REINDEX INDEX users_email
----
users ShareLock
users_email AccessExclusiveLock

locks
REINDEX TABLE users
----
users ShareLock
users_email AccessExclusiveLock
users_pkey AccessExclusiveLock
users_score_excl AccessExclusiveLock

check
REINDEX INDEX users_score_excl
----
block
  rebuilding index "users_score_excl" blocks writes to "users", and most reads, until it is done; do it when nobody writes: the index of an exclusion constraint has no concurrent rebuild
  detail: Table public.users has about 100 rows, 16 kB.

check
REINDEX INDEX missing
----
pass

check unknown
REINDEX INDEX users_email
----
rewrite
  rebuilding index "users_email" blocks writes to its table, and most reads, until it is done; use REINDEX ... CONCURRENTLY
  hint: REINDEX INDEX CONCURRENTLY users_email;
  unknown: the size of "users_email"

check unknown
REINDEX TABLE users
----
rewrite
  rebuilding the indexes of "users" blocks writes to it, and most reads, until it is done; use REINDEX ... CONCURRENTLY
  hint: REINDEX TABLE CONCURRENTLY users;
  unknown: the size of "users"

# The server runs the concurrent form outside of a transaction only, and whoever rebuilds an index means now.
begin
----

check ledger
REINDEX INDEX users_email
----
block
  rebuilding index "users_email" blocks writes to "users", and most reads, until it is done; use REINDEX ... CONCURRENTLY outside of the transaction
  detail: Table public.users has about 100 rows, 16 kB.
  hint: REINDEX INDEX CONCURRENTLY users_email;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

check
REINDEX INDEX CONCURRENTLY users_email
----
pass

check
REINDEX DATABASE
----
pass

rollback
----

# Whatever is in there.
check
REINDEX DATABASE
----
block
  REINDEX DATABASE rebuilds the indexes of every table, one after the other, and locks each; rebuild those that need it: REINDEX INDEX CONCURRENTLY ...

check
REINDEX SCHEMA public
----
block
  REINDEX SCHEMA public rebuilds the indexes of every table, one after the other, and locks each; rebuild those that need it: REINDEX INDEX CONCURRENTLY ...

check
REINDEX (CONCURRENTLY) SCHEMA public
----
block
  REINDEX SCHEMA public rebuilds the indexes of every table, one after the other, and locks each; rebuild those that need it: REINDEX INDEX CONCURRENTLY ...

check rows=400000 bytes=900000000
REINDEX TABLE pg_catalog.pg_class
----
block
  rebuilding the indexes of "pg_class" blocks writes to it, and most reads, until it is done; do it when nobody works: system catalogs have no concurrent rebuild
  detail: Table pg_catalog.pg_class has about 400,000 rows, 858 MB.

# Nothing to wait for.
setup
CREATE TABLE empty (a int PRIMARY KEY); CREATE TEMPORARY TABLE scratch AS SELECT * FROM users; CREATE INDEX ON scratch (id)
----

check
REINDEX TABLE empty
----
pass

check
REINDEX TABLE scratch
----
pass

check small
REINDEX TABLE users
----
pass

begin
CREATE TABLE fresh AS SELECT * FROM users; CREATE INDEX fresh_id ON fresh (id)
----

check
REINDEX INDEX fresh_id
----
pass

rollback
----

# A rebuild that failed leaves an INVALID index.
setup
CREATE INDEX users_email_ccnew ON users (email); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_email_ccnew'::regclass
----

check
REINDEX INDEX users_email
----
rewrite
  rebuilding index "users_email" blocks writes to "users", and most reads, until it is done; use REINDEX ... CONCURRENTLY
  detail: Table public.users has about 100 rows, 16 kB.
    INVALID index users_email_ccnew, left by a rebuild that failed, is dropped first.
  hint: REINDEX INDEX CONCURRENTLY users_email;

check
REINDEX INDEX CONCURRENTLY users_email
----
warn
  index "users_email_ccnew" is INVALID, left by a rebuild that failed, and costs every write; drop it: DROP INDEX CONCURRENTLY public.users_email_ccnew

check small
REINDEX TABLE users
----
warn
  index "users_email_ccnew" is INVALID, left by a rebuild that failed, and costs every write; drop it: DROP INDEX CONCURRENTLY public.users_email_ccnew

check
REINDEX INDEX users_email_ccnew
----
block
  index "users_email_ccnew" is INVALID, left by a rebuild that failed, and nobody needs it; drop it: DROP INDEX CONCURRENTLY public.users_email_ccnew

# Before 14 the server knew no REINDEX of a partitioned table.
setup
CREATE TABLE events (at int, what text) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (1000);
INSERT INTO events SELECT g, g FROM generate_series(1, 100) g; CREATE INDEX events_what ON events (what); ANALYZE events_1
----

check version=130000
REINDEX TABLE events
----
pass

check version=170000
REINDEX INDEX events_what
----
rewrite
  rebuilding index "events_what" blocks writes to "events", and most reads, until it is done; use REINDEX ... CONCURRENTLY
  detail: Table public.events has about 100 rows in 1 partition, 16 kB.
  hint: REINDEX INDEX CONCURRENTLY events_what;

begin
----

check version=170000
REINDEX INDEX events_what
----
pass

rollback
----

# PostgreSQL 14.0 to 14.3 corrupt concurrent builds.
check version=140003
REINDEX TABLE users
----
block
  rebuilding the indexes of "users" blocks writes to it, and most reads, until it is done; rebuild concurrently after an upgrade to PostgreSQL 14.4 or later: 14.0 to 14.3 can corrupt an index that is built concurrently
  detail: Table public.users has about 100 rows, 16 kB.

setup
CREATE ROLE reindex_not_concurrent; SET ROLE reindex_not_concurrent
----

check
REINDEX TABLE users
----
pass

setup
RESET ROLE; DROP ROLE reindex_not_concurrent
----

check version=140003
REINDEX TABLE CONCURRENTLY users
----
warn
  index "users_email_ccnew" is INVALID, left by a rebuild that failed, and costs every write; drop it: DROP INDEX CONCURRENTLY public.users_email_ccnew
  an index of "users" that is rebuilt concurrently by PostgreSQL 14.0 to 14.3 can be corrupt; upgrade to 14.4 or later first, or check it with pg_amcheck --heapallindexed

# Duplicates may be what made it INVALID.
setup
CREATE TABLE twice (a int); INSERT INTO twice SELECT 1 FROM generate_series(1, 100); CREATE UNIQUE INDEX twice_a ON twice (a) WHERE a > 1; CREATE INDEX twice_b ON twice (a);
UPDATE pg_index SET indisvalid = false WHERE indrelid = 'twice'::regclass
----

check
REINDEX INDEX CONCURRENTLY twice_a
----
warn
  unique index "twice_a" is INVALID, and over duplicates its rebuild fails, too, and leaves one more; drop it and build it anew: DROP INDEX CONCURRENTLY public.twice_a

check
REINDEX INDEX CONCURRENTLY twice_b
----
pass
