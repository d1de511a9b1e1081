setup
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT g, g FROM generate_series(1, 100) g; CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE empty (id int);
INSERT INTO parent VALUES (1); ANALYZE t
----

# Every row is read for a check that no value can break.
check
ALTER TABLE t ADD COLUMN price int CHECK (price > 0)
----
rewrite
  adding "price" to "t" reads every row for its check, and blocks reads and writes until that is done; add the column first, then the constraint in its safe form
  detail: Table public.t has about 100 rows, 8192 bytes.
  hint: ALTER TABLE t ADD COLUMN price int;
    ALTER TABLE t ADD CONSTRAINT "t_price_check" CHECK (price > 0) NOT VALID;
    ALTER TABLE t VALIDATE CONSTRAINT t_price_check;

# There is nothing to look up.
check
ALTER TABLE t ADD COLUMN parent_id int REFERENCES parent
----
pass

locks
ALTER TABLE t ADD COLUMN price int CHECK (price > 0)
----
t AccessExclusiveLock

locks
ALTER TABLE t ADD COLUMN parent_id int DEFAULT 1 REFERENCES parent
----
parent AccessShareLock
parent RowShareLock
parent ShareRowExclusiveLock
parent_pkey AccessShareLock
t AccessExclusiveLock
t AccessShareLock
t ShareRowExclusiveLock
t_pkey AccessShareLock

check
ALTER TABLE t ADD COLUMN parent_id int DEFAULT 1 CONSTRAINT to_parent REFERENCES parent ON DELETE CASCADE
----
rewrite
  adding "parent_id" to "t" looks up every row for its foreign key, and blocks reads and writes until that is done; add the column first, then the constraint in its safe form
  detail: Table public.t has about 100 rows, 8192 bytes.
  hint: ALTER TABLE t ADD COLUMN parent_id int DEFAULT 1;
    ALTER TABLE t ADD CONSTRAINT to_parent FOREIGN KEY ("parent_id") REFERENCES parent ON DELETE CASCADE NOT VALID;
    ALTER TABLE t VALIDATE CONSTRAINT to_parent;

check
alter table "t" add "Code" text unique deferrable, add column note text
----
rewrite
  adding "Code" to "t" builds the index of its key, and blocks reads and writes until that is done; add the column first, then the constraint in its safe form
  detail: Table public.t has about 100 rows, 8192 bytes.
  hint: alter table "t" add "Code" text, add column note text;
    CREATE UNIQUE INDEX CONCURRENTLY "t_Code_key" ON "t" ("Code");
    ALTER TABLE "t" ADD CONSTRAINT "t_Code_key" UNIQUE USING INDEX "t_Code_key" DEFERRABLE;

check
ALTER TABLE t ADD COLUMN code int DEFAULT 7 UNIQUE
----
block
  "code" cannot be unique: all rows of "t" would have the same value; add it without a default, give each row its value, then add the key
  detail: Table public.t has about 100 rows, 8192 bytes.
  hint: ALTER TABLE t ADD COLUMN code int;

check
ALTER TABLE t ADD COLUMN token uuid DEFAULT gen_random_uuid() UNIQUE
----
rewrite
  adding "token" to "t" builds the index of its key, and blocks reads and writes until that is done; add the column first, then the constraint in its safe form
  detail: Table public.t has about 100 rows, 8192 bytes.
  hint: ALTER TABLE t ADD COLUMN token uuid;
    ALTER TABLE t ALTER COLUMN token SET DEFAULT gen_random_uuid();
    UPDATE t SET token = DEFAULT WHERE token IS NULL /* in batches */;
    CREATE UNIQUE INDEX CONCURRENTLY "t_token_key" ON t ("token");
    ALTER TABLE t ADD CONSTRAINT "t_token_key" UNIQUE USING INDEX "t_token_key";

check
ALTER TABLE t ADD COLUMN IF NOT EXISTS a int CHECK (a > 0)
----
pass

check
ALTER TABLE empty ADD COLUMN price int CHECK (price > 0) UNIQUE
----
pass

check small
ALTER TABLE t ADD COLUMN price int CHECK (price > 0)
----
pass

begin
----

check
ALTER TABLE t ADD COLUMN price int CHECK (price > 0)
----
block
  adding "price" to "t" reads every row for its check, and blocks reads and writes until that is done; add the column first, then the constraint in its safe form outside of the transaction
  detail: Table public.t has about 100 rows, 8192 bytes.
  hint: ALTER TABLE t ADD COLUMN price int;
    ALTER TABLE t ADD CONSTRAINT "t_price_check" CHECK (price > 0) NOT VALID;
    ALTER TABLE t VALIDATE CONSTRAINT t_price_check;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.

check ledger
ALTER TABLE t ADD COLUMN price int CHECK (price > 0)
----
rewrite
  adding "price" to "t" reads every row for its check, and blocks reads and writes until that is done; add the column first, then the constraint in its safe form outside of the transaction
  detail: Table public.t has about 100 rows, 8192 bytes.
  hint: ALTER TABLE t ADD COLUMN price int;
    ALTER TABLE t ADD CONSTRAINT "t_price_check" CHECK (price > 0) NOT VALID;
    ALTER TABLE t VALIDATE CONSTRAINT t_price_check;

rollback
----

check unknown
ALTER TABLE t ADD COLUMN price int CHECK (price > 0)
----
rewrite
  adding "price" to "t" reads every row for its check, and blocks reads and writes until that is done; add the column first, then the constraint in its safe form
  hint: ALTER TABLE t ADD COLUMN price int;
    ALTER TABLE t ADD CONSTRAINT "t_price_check" CHECK (price > 0) NOT VALID;
    ALTER TABLE t VALIDATE CONSTRAINT t_price_check;
  unknown: the size of table "t"

check
ALTER TABLE t DROP COLUMN id CASCADE, ADD COLUMN id int CHECK (id > 0)
----
block
  adding "id" to "t" reads every row for its check, and blocks reads and writes until that is done; add the column first, then the constraint in its safe form, and drop the old column in a statement before
  detail: Table public.t has about 100 rows, 8192 bytes.
  hint: ALTER TABLE t DROP COLUMN id CASCADE, ADD COLUMN id int;
    ALTER TABLE t ADD CONSTRAINT "t_id_check" CHECK (id > 0) NOT VALID;
    ALTER TABLE t VALIDATE CONSTRAINT t_id_check;

# What else the statement does stays.
check
ALTER TABLE t ADD COLUMN note text, ADD COLUMN price int CHECK (price > 0)
----
rewrite
  adding "price" to "t" reads every row for its check, and blocks reads and writes until that is done; add the column first, then the constraint in its safe form
  detail: Table public.t has about 100 rows, 8192 bytes.
  hint: ALTER TABLE t ADD COLUMN note text, ADD COLUMN price int;
    ALTER TABLE t ADD CONSTRAINT "t_price_check" CHECK (price > 0) NOT VALID;
    ALTER TABLE t VALIDATE CONSTRAINT t_price_check;

# Few rows are looked up in a large table, which is locked and may be read whole.
setup
CREATE TABLE few (id int); INSERT INTO few VALUES (1); CREATE TABLE many (id int PRIMARY KEY, filler text); INSERT INTO many SELECT g, repeat('x', 60) FROM generate_series(1, 20000) g; ANALYZE few, many
----

check small
ALTER TABLE few ADD COLUMN of int DEFAULT 1 REFERENCES many
----
rewrite
  adding "of" to "few" looks up every row for its foreign key, and blocks reads and writes until that is done; add the column first, then the constraint in its safe form
  detail: Table public.few has about 1 rows, 8192 bytes.
  hint: ALTER TABLE few ADD COLUMN of int DEFAULT 1;
    ALTER TABLE few ADD CONSTRAINT "few_of_fkey" FOREIGN KEY ("of") REFERENCES many NOT VALID;
    ALTER TABLE few VALIDATE CONSTRAINT few_of_fkey;

check small
ALTER TABLE few ADD COLUMN of int REFERENCES many
----
pass

check small
ALTER TABLE few ADD COLUMN of int DEFAULT 1 REFERENCES few (id)
----
pass

# PostgreSQL 14.0 to 14.3 corrupt concurrent builds.
check version=140003
ALTER TABLE t ADD COLUMN number int UNIQUE
----
block
  adding "number" to "t" builds the index of its key, and blocks reads and writes until that is done; build it concurrently after an upgrade to PostgreSQL 14.4 or later: 14.0 to 14.3 can corrupt an index that is built concurrently
  detail: Table public.t has about 100 rows, 8192 bytes.
