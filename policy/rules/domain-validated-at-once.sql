setup
CREATE DOMAIN positive AS int; CREATE TABLE counts (n positive); INSERT INTO counts VALUES (1); CREATE TABLE sums (n positive); INSERT INTO sums VALUES (1);
CREATE DOMAIN unused AS int; CREATE TABLE hollow (n unused); ANALYZE counts, sums
----

# Every table that uses the domain is read, all of them locked against writes.
check
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)
----
rewrite
  adding this constraint to domain positive blocks writes to public.counts and public.sums while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  hint: ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0) NOT VALID;
    ALTER DOMAIN positive VALIDATE CONSTRAINT positive_check;

# Nobody waits.
check
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0) NOT VALID
----
pass

locks
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)
----
counts ShareLock
sums ShareLock

locks
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0) NOT VALID
----
(none)

check
ALTER DOMAIN positive SET NOT NULL
----
block
  SET NOT NULL on domain positive blocks writes to public.counts and public.sums while every row is checked; add CHECK (VALUE IS NOT NULL) NOT VALID, then VALIDATE CONSTRAINT
  hint: ALTER DOMAIN positive ADD CONSTRAINT positive_not_null CHECK (VALUE IS NOT NULL) NOT VALID;
    ALTER DOMAIN positive VALIDATE CONSTRAINT positive_not_null;

locks
ALTER DOMAIN positive SET NOT NULL
----
counts ShareLock
sums ShareLock

check
ALTER DOMAIN positive ADD CHECK (VALUE > 0)
----
block
  adding this constraint to domain positive blocks writes to public.counts and public.sums while every row is checked; name it, add it NOT VALID, then VALIDATE CONSTRAINT
  hint: ALTER DOMAIN positive ADD CONSTRAINT "positive_check" CHECK (VALUE > 0) NOT VALID;
    ALTER DOMAIN positive VALIDATE CONSTRAINT positive_check;

check
ALTER DOMAIN positive DROP NOT NULL
----
pass

check
ALTER DOMAIN positive SET DEFAULT 1
----
pass

# It reads the tables under the same locks: there is no other way.
check
ALTER DOMAIN positive VALIDATE CONSTRAINT positive_check
----
warn
  VALIDATE CONSTRAINT of domain positive blocks writes to public.counts and public.sums while every row is checked; run it when few write

check
ALTER DOMAIN unused ADD CONSTRAINT unused_check CHECK (VALUE > 0)
----
pass

check small
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)
----
pass

begin
CREATE DOMAIN fresh AS int; CREATE TABLE fresher AS SELECT 1::fresh AS a
----

check
ALTER DOMAIN fresh ADD CONSTRAINT fresh_check CHECK (VALUE > 0)
----
pass

check
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)
----
block
  adding this constraint to domain positive blocks writes to public.counts and public.sums while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT outside of the transaction
  hint: ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0) NOT VALID;
    ALTER DOMAIN positive VALIDATE CONSTRAINT positive_check;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.

check ledger
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)
----
rewrite
  adding this constraint to domain positive blocks writes to public.counts and public.sums while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT outside of the transaction
  hint: ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0) NOT VALID;
    ALTER DOMAIN positive VALIDATE CONSTRAINT positive_check;

rollback
----

check
ALTER DOMAIN missing SET NOT NULL
----
pass

check unknown
ALTER DOMAIN positive SET NOT NULL
----
block
  SET NOT NULL on domain positive blocks writes to every table that uses it while every row is checked; add CHECK (VALUE IS NOT NULL) NOT VALID, then VALIDATE CONSTRAINT
  hint: ALTER DOMAIN positive ADD CONSTRAINT positive_not_null CHECK (VALUE IS NOT NULL) NOT VALID;
    ALTER DOMAIN positive VALIDATE CONSTRAINT positive_not_null;
  unknown: which tables have columns of domain positive

check unknown
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)
----
rewrite
  adding this constraint to domain positive blocks writes to every table that uses it while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT
  hint: ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0) NOT VALID;
    ALTER DOMAIN positive VALIDATE CONSTRAINT positive_check;
  unknown: which tables have columns of domain positive
