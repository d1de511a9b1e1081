setup
CREATE TABLE users (id int PRIMARY KEY, email text, score int);
INSERT INTO users SELECT g, g || '@example.com', g FROM generate_series(1, 100) g;
CREATE INDEX users_email ON users (email); CREATE INDEX "Users Score" ON users (score);
ANALYZE users
----

# Not only the index: nobody can use the table until the lock is released.
check
DROP INDEX users_email
----
rewrite
  dropping index "users_email" locks readers and writers out of "users"; use DROP INDEX CONCURRENTLY
  detail: Table public.users has about 100 rows, 16 kB.
  hint: DROP INDEX CONCURRENTLY users_email;

# Nobody waits.
check
DROP INDEX CONCURRENTLY users_email
----
pass

# The server refuses that; no index is dropped.
check
DROP INDEX CONCURRENTLY users_email, "Users Score"
----
block
  DROP INDEX CONCURRENTLY drops one index at a time; send a statement for each of users_email and "Users Score"
  hint: DROP INDEX CONCURRENTLY users_email;
    DROP INDEX CONCURRENTLY "Users Score";

check unknown
DROP INDEX CONCURRENTLY IF EXISTS a, b
----
block
  DROP INDEX CONCURRENTLY drops one index at a time; send a statement for each of a and b
  hint: DROP INDEX CONCURRENTLY IF EXISTS a;
    DROP INDEX CONCURRENTLY IF EXISTS b;

locks
DROP INDEX users_email
----
(uncommitted) AccessExclusiveLock
users AccessExclusiveLock

# A list is dropped one by one.
check
drop index IF EXISTS public.users_email, "Users Score", missing
----
rewrite
  dropping index "users_email" locks readers and writers out of "users"; use DROP INDEX CONCURRENTLY
  detail: Table public.users has about 100 rows, 16 kB.
  hint: drop index CONCURRENTLY IF EXISTS public.users_email;
    drop index CONCURRENTLY IF EXISTS "Users Score";
    drop index CONCURRENTLY IF EXISTS missing;

check
DROP INDEX IF EXISTS missing
----
pass

begin
----

check
DROP INDEX users_email
----
block
  dropping index "users_email" locks readers and writers out of "users"; use DROP INDEX CONCURRENTLY outside of the transaction
  detail: Table public.users has about 100 rows, 16 kB.
  hint: DROP INDEX CONCURRENTLY users_email;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.

check ledger
DROP INDEX users_email
----
rewrite
  dropping index "users_email" locks readers and writers out of "users"; use DROP INDEX CONCURRENTLY outside of the transaction
  detail: Table public.users has about 100 rows, 16 kB.
  hint: DROP INDEX CONCURRENTLY users_email;

# The server refuses it here as it does everywhere else.
check
DROP INDEX CONCURRENTLY users_email
----
pass

rollback
----

# It would take foreign keys with it, and has no concurrent form.
check
DROP INDEX users_email CASCADE
----
block
  dropping index "users_email" locks readers and writers out of "users"; use DROP INDEX CONCURRENTLY, without CASCADE
  detail: Table public.users has about 100 rows, 16 kB.
  hint: DROP INDEX CONCURRENTLY users_email;
    If foreign keys depend on the index, drop them first: ALTER TABLE ... DROP CONSTRAINT ...

# The server finds out that a constraint needs it when it has the lock.
check
DROP INDEX users_pkey
----
block
  dropping index "users_pkey" locks readers and writers out of "users" only to fail, because constraint "users_pkey" needs it; use ALTER TABLE public.users DROP CONSTRAINT users_pkey
  detail: Table public.users has about 100 rows, 16 kB.
  hint: ALTER TABLE public.users DROP CONSTRAINT users_pkey;

check
DROP INDEX IF EXISTS users_email, public."users_pkey" CASCADE
----
block
  dropping index "users_pkey" locks readers and writers out of "users" only to fail, because constraint "users_pkey" needs it; use ALTER TABLE public.users DROP CONSTRAINT users_pkey
  detail: Table public.users has about 100 rows, 16 kB.
  hint: ALTER TABLE public.users DROP CONSTRAINT users_pkey;

check small
DROP INDEX users_pkey
----
pass

# Nothing to wait for.
setup
CREATE TABLE empty (a int); CREATE INDEX empty_a ON empty (a); CREATE TEMPORARY TABLE scratch AS SELECT * FROM users; CREATE INDEX scratch_id ON scratch (id)
----

check
DROP INDEX empty_a, scratch_id
----
pass

check small
DROP INDEX users_email
----
pass

begin
CREATE TABLE fresh AS SELECT * FROM users; CREATE INDEX fresh_id ON fresh (id)
----

check
DROP INDEX fresh_id
----
pass

rollback
----

# A partitioned index cannot be dropped concurrently, nor can a part of one be dropped at all.
setup
CREATE TABLE events (at int, what text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (1000);
INSERT INTO events SELECT g, 'x' FROM generate_series(1, 100) g;
CREATE INDEX events_what ON events (what)
----

check
DROP INDEX events_what
----
pass

locks
DROP INDEX events_what
----
(uncommitted) AccessExclusiveLock
events AccessExclusiveLock
events_1 AccessExclusiveLock

check
DROP INDEX events_1_what_idx
----
pass

check unknown
DROP INDEX users_email
----
rewrite
  dropping index "users_email" locks readers and writers out of its table; use DROP INDEX CONCURRENTLY
  hint: DROP INDEX CONCURRENTLY users_email;
  unknown: the table of index "users_email" and its size

check unknown
DROP INDEX CONCURRENTLY users_email
----
pass

# Other things have rules of their own.
check
DROP TABLE users
----
pass

check
/* pgsluice:allow drop-index-not-concurrent reason="nobody works on Sundays" */ DROP INDEX users_email
----
pass
  overridden: dropping index "users_email" locks readers and writers out of "users"; use DROP INDEX CONCURRENTLY
