setup
CREATE TABLE users (id int PRIMARY KEY, email text, score int);
INSERT INTO users SELECT g, g || '@example.com', g FROM generate_series(1, 100) g;
ANALYZE users
----

# Reads go on, writes wait for the whole build.
check
CREATE INDEX users_email ON users (email)
----
rewrite
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY
  detail: Table public.users has about 100 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY users_email ON users (email);

# Nobody waits; the build takes longer.
check
CREATE INDEX CONCURRENTLY users_email ON users (email)
----
pass

locks
CREATE INDEX users_email ON users (email)
----
users ShareLock
users_email AccessExclusiveLock

# The verdict does not depend on spelling.
check
create /* small letters, a comment */ unique
	Index "Users_E" on Only public.USERS using BTREE (lower(email) desc) where email is not null
----
rewrite
  building index "Users_E" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY
  detail: Table public.users has about 100 rows, 16 kB.
  hint: create /* small letters, a comment */ unique
    	Index CONCURRENTLY "Users_E" on Only public.USERS using BTREE (lower(email) desc) where email is not null;

# An index without a name.
check
CREATE INDEX ON users (email)
----
rewrite
  building this index blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY
  detail: Table public.users has about 100 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY ON users (email);

# In a transaction the lock is held to its end, and a concurrent build is not possible.
begin
----

check
CREATE INDEX users_email ON users (email)
----
block
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY outside of the transaction
  detail: Table public.users has about 100 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY users_email ON users (email);
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.

# It is deferred where there is a ledger.
check ledger
CREATE INDEX users_email ON users (email)
----
rewrite
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY outside of the transaction
  detail: Table public.users has about 100 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY users_email ON users (email);

# The server refuses it here as it does everywhere else.
check
CREATE INDEX CONCURRENTLY users_email ON users (email)
----
pass

rollback
----

# New in this transaction: nobody else can see the table, and nobody waits.
begin
CREATE TABLE fresh (a int); INSERT INTO fresh SELECT generate_series(1, 1000)
----

check
CREATE INDEX fresh_a ON fresh (a)
----
pass

rollback
----

# ADD COLUMN does not make a table new.
begin
ALTER TABLE users ADD COLUMN nick text
----

check ledger
CREATE INDEX users_nick ON users (nick)
----
rewrite
  building index "users_nick" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY outside of the transaction
  detail: Table public.users has about 100 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY users_nick ON users (nick);

rollback
----

# A table that was truncated in this transaction is empty, and locked already.
begin
TRUNCATE users
----

check
CREATE INDEX users_email ON users (email)
----
pass

rollback
----

# Nothing to read.
setup
CREATE TABLE empty (a int, b text)
----

check
CREATE INDEX empty_a ON empty (a)
----
pass

# Temporary tables are ours alone.
setup
CREATE TEMPORARY TABLE scratch AS SELECT * FROM users
----

check
CREATE INDEX scratch_email ON scratch (email)
----
pass

# Small is what is within both limits; an estimate that is not there decides nothing, a size that is not known does.
check small
CREATE INDEX users_email ON users (email)
----
pass

check small rows=-1
CREATE INDEX users_email ON users (email)
----
pass

check small rows=10001
CREATE INDEX users_email ON users (email)
----
rewrite
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY
  detail: Table public.users has about 10,001 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY users_email ON users (email);

check small bytes=1048577
CREATE INDEX users_email ON users (email)
----
rewrite
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY
  detail: Table public.users has about 100 rows, 1024 kB.
  hint: CREATE INDEX CONCURRENTLY users_email ON users (email);

check small bytes=-1
CREATE INDEX users_email ON users (email)
----
rewrite
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY
  detail: The size of table public.users is not known: another session locks it, or waits to.
  hint: CREATE INDEX CONCURRENTLY users_email ON users (email);

check rows=123456789 bytes=98765432109
CREATE INDEX users_email ON users (email)
----
rewrite
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY
  detail: Table public.users has about 123,456,789 rows, 92 GB.
  hint: CREATE INDEX CONCURRENTLY users_email ON users (email);

# Nothing is known: it may be large.
check unknown
CREATE INDEX users_email ON users (email)
----
rewrite
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY
  hint: CREATE INDEX CONCURRENTLY users_email ON users (email);
  unknown: the size of table "users"

check unknown
CREATE INDEX CONCURRENTLY users_email ON users (email)
----
pass

# What the server refuses anyway it refuses with its own words.
check
CREATE INDEX ON missing (a)
----
pass

setup
CREATE VIEW seen AS SELECT * FROM users
----

check
CREATE INDEX ON seen (id)
----
pass

# IF NOT EXISTS and an index that is there and valid: nothing to build.
setup
CREATE INDEX users_score ON users (score)
----

check
CREATE INDEX IF NOT EXISTS users_score ON users (score)
----
pass

# The server says that the name is taken.
check
CREATE INDEX users_score ON users (score)
----
pass

# It would be skipped without a word.
check
CREATE INDEX IF NOT EXISTS users_score ON users (email)
----
warn
  IF NOT EXISTS skips this index: the name "users_score" belongs to something else; use another name, or drop it first
  detail: It is: CREATE INDEX users_score ON public.users USING btree (score).

check
CREATE UNIQUE INDEX IF NOT EXISTS users_score ON users (score)
----
warn
  IF NOT EXISTS skips this index: the name "users_score" belongs to something else; use another name, or drop it first
  detail: It is: CREATE INDEX users_score ON public.users USING btree (score).

check
CREATE INDEX IF NOT EXISTS users_pkey ON empty (a)
----
warn
  IF NOT EXISTS skips this index: the name "users_pkey" belongs to something else; use another name, or drop it first
  detail: It is an index of table public.users.

check
CREATE INDEX IF NOT EXISTS seen ON empty (a)
----
warn
  IF NOT EXISTS skips this index: the name "seen" belongs to something else; use another name, or drop it first
  detail: It is view public.seen.

# An INVALID index is what a build that failed has left: IF NOT EXISTS would take it for the index.
setup
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_score'::regclass
----

check
CREATE INDEX IF NOT EXISTS users_score ON users (score)
----
rewrite
  index "users_score" is INVALID, left by a build that failed; drop it and build it anew
  detail: It is: CREATE INDEX users_score ON public.users USING btree (score).
  hint: CREATE INDEX CONCURRENTLY IF NOT EXISTS users_score ON users (score);

check
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_score ON users (score)
----
rewrite
  index "users_score" is INVALID, left by a build that failed; drop it and build it anew
  detail: It is: CREATE INDEX users_score ON public.users USING btree (score).
  hint: CREATE INDEX CONCURRENTLY IF NOT EXISTS users_score ON users (score);

check
CREATE INDEX users_score ON users (score)
----
rewrite
  index "users_score" is INVALID, left by a build that failed; drop it and build it anew
  detail: It is: CREATE INDEX users_score ON public.users USING btree (score).
  hint: CREATE INDEX CONCURRENTLY users_score ON users (score);

# Even a small table would stay without it.
check small
CREATE INDEX IF NOT EXISTS users_score ON users (score)
----
rewrite
  index "users_score" is INVALID, left by a build that failed; drop it and build it anew
  detail: It is: CREATE INDEX users_score ON public.users USING btree (score).
  hint: CREATE INDEX CONCURRENTLY IF NOT EXISTS users_score ON users (score);

check
CREATE INDEX IF NOT EXISTS users_score ON users (email)
----
block
  an INVALID index "users_score" with another definition is in the way; drop it first: DROP INDEX CONCURRENTLY "public"."users_score"
  detail: It is: CREATE INDEX users_score ON public.users USING btree (score).

begin
----

check
CREATE INDEX IF NOT EXISTS users_score ON users (score)
----
block
  index "users_score" is INVALID, left by a build that failed; drop it and build it anew outside of the transaction
  detail: It is: CREATE INDEX users_score ON public.users USING btree (score).
  hint: CREATE INDEX CONCURRENTLY IF NOT EXISTS users_score ON users (score);
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.

rollback
----

setup
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'users_score'::regclass
----

# A partitioned table has no concurrent form; its partitions have.
setup
CREATE TABLE events (at date, what text) PARTITION BY RANGE (at);
CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE "Events 2025" PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
----

# All partitions are empty.
check
CREATE INDEX events_what ON events (what)
----
pass

setup
INSERT INTO events SELECT '2023-05-05', 'x' FROM generate_series(1, 1000); ANALYZE events_2023, events_2024, "Events 2025", events_2026
----

check
CREATE INDEX events_what ON events (what)
----
rewrite
  building index "events_what" blocks writes to "events" until it is done on all 4 partitions; index them one by one, concurrently, and attach each
  detail: Table public.events has about 1,000 rows in 4 partitions, 96 kB.
  hint: Each by itself, outside of a transaction:
    CREATE INDEX events_what ON ONLY public.events (what);
    CREATE INDEX CONCURRENTLY "Events 2025_what_idx" ON public."Events 2025" (what);
    ALTER INDEX public.events_what ATTACH PARTITION public."Events 2025_what_idx";
    CREATE INDEX CONCURRENTLY events_2023_what_idx ON public.events_2023 (what);
    ALTER INDEX public.events_what ATTACH PARTITION public.events_2023_what_idx;
    CREATE INDEX CONCURRENTLY events_2024_what_idx ON public.events_2024 (what);
    ALTER INDEX public.events_what ATTACH PARTITION public.events_2024_what_idx;
    -- and so on for all 4 partitions

check ledger
CREATE INDEX ON events (what)
----
rewrite
  building this index blocks writes to "events" until it is done on all 4 partitions; index them one by one, concurrently, and attach each
  detail: Table public.events has about 1,000 rows in 4 partitions, 96 kB.
  hint: Each by itself, outside of a transaction:
    CREATE INDEX events_what_idx ON ONLY public.events (what);
    CREATE INDEX CONCURRENTLY "Events 2025_what_idx" ON public."Events 2025" (what);
    ALTER INDEX public.events_what_idx ATTACH PARTITION public."Events 2025_what_idx";
    CREATE INDEX CONCURRENTLY events_2023_what_idx ON public.events_2023 (what);
    ALTER INDEX public.events_what_idx ATTACH PARTITION public.events_2023_what_idx;
    CREATE INDEX CONCURRENTLY events_2024_what_idx ON public.events_2024 (what);
    ALTER INDEX public.events_what_idx ATTACH PARTITION public.events_2024_what_idx;
    -- and so on for all 4 partitions

locks
CREATE INDEX events_what ON events (what)
----
Events 2025 ShareLock
Events 2025_what_idx AccessExclusiveLock
events ShareLock
events_2023 ShareLock
events_2023_what_idx AccessExclusiveLock
events_2024 ShareLock
events_2024_what_idx AccessExclusiveLock
events_2026 ShareLock
events_2026_what_idx AccessExclusiveLock
events_what AccessExclusiveLock
events_what ShareUpdateExclusiveLock

# The first step of that recipe builds nothing.
check
CREATE INDEX events_what ON ONLY events (what)
----
pass

# So does each that follows.
check
CREATE INDEX CONCURRENTLY events_what_2023 ON events_2023 (what)
----
pass

check
CREATE INDEX events_what_2023 ON events_2023 (what)
----
rewrite
  building index "events_what_2023" blocks writes to "events_2023" until it is done; use CREATE INDEX CONCURRENTLY
  detail: Table public.events_2023 has about 1,000 rows, 72 kB.
  hint: CREATE INDEX CONCURRENTLY events_what_2023 ON events_2023 (what);

# Until every partition has one, the index of the parent is INVALID and no leftover.
setup
CREATE INDEX events_what ON ONLY events (what)
----

check
CREATE INDEX IF NOT EXISTS events_what ON events (what)
----
rewrite
  index "events_what" is not valid yet, because partitions lack it; index and attach those
  detail: Table public.events has about 1,000 rows in 4 partitions, 96 kB.
  hint: Each by itself, outside of a transaction:
    CREATE INDEX CONCURRENTLY "Events 2025_what_idx" ON public."Events 2025" (what);
    ALTER INDEX public.events_what ATTACH PARTITION public."Events 2025_what_idx";
    CREATE INDEX CONCURRENTLY events_2023_what_idx ON public.events_2023 (what);
    ALTER INDEX public.events_what ATTACH PARTITION public.events_2023_what_idx;
    CREATE INDEX CONCURRENTLY events_2024_what_idx ON public.events_2024 (what);
    ALTER INDEX public.events_what ATTACH PARTITION public.events_2024_what_idx;
    -- and so on for all 4 partitions

# The statement itself goes on with it.
check
CREATE INDEX events_what ON events (what)
----
rewrite
  index "events_what" is not valid yet, because partitions lack it; index and attach those
  detail: Table public.events has about 1,000 rows in 4 partitions, 96 kB.
  hint: Each by itself, outside of a transaction:
    CREATE INDEX CONCURRENTLY "Events 2025_what_idx" ON public."Events 2025" (what);
    ALTER INDEX public.events_what ATTACH PARTITION public."Events 2025_what_idx";
    CREATE INDEX CONCURRENTLY events_2023_what_idx ON public.events_2023 (what);
    ALTER INDEX public.events_what ATTACH PARTITION public.events_2023_what_idx;
    CREATE INDEX CONCURRENTLY events_2024_what_idx ON public.events_2024 (what);
    ALTER INDEX public.events_what ATTACH PARTITION public.events_2024_what_idx;
    -- and so on for all 4 partitions

# With another definition the server says that the name is taken.
check
CREATE INDEX events_what ON events (at)
----
pass

# On a table with a foreign partition an index that is made ONLY there never turns valid.
setup
CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE TABLE logs (at int, what text) PARTITION BY RANGE (at); CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (1) TO (2);
CREATE FOREIGN TABLE logs_2 PARTITION OF logs FOR VALUES FROM (2) TO (3) SERVER nowhere; INSERT INTO logs VALUES (1)
----

check
CREATE INDEX ON logs (what)
----
block
  building this index blocks writes to "logs" until it is done on all 2 partitions; index the partitions with CREATE INDEX CONCURRENTLY first, then this only attaches them
  detail: Table public.logs keeps rows outside of this server's own tables, so that its size is not known.
  hint: Each by itself, outside of a transaction:
    CREATE INDEX CONCURRENTLY logs_1_what_idx ON public.logs_1 (what);
    CREATE INDEX ON logs (what);

setup
CREATE INDEX logs_1_what ON logs_1 (what)
----

check
CREATE INDEX ON logs (what)
----
pass

# The server refuses it.
check
CREATE UNIQUE INDEX ON logs (at)
----
pass

# PostgreSQL 14.0 to 14.3 corrupt concurrent builds.
check version=140003
CREATE INDEX users_email ON users (email)
----
block
  building index "users_email" blocks writes to "users" until it is done; build it concurrently after an upgrade to PostgreSQL 14.4 or later: 14.0 to 14.3 can corrupt an index that is built concurrently
  detail: Table public.users has about 100 rows, 16 kB.

# A build that asked for it is the user's own choice.
check version=140003
CREATE INDEX CONCURRENTLY ON users (lower(email))
----
warn
  an index on "users" that is built concurrently by PostgreSQL 14.0 to 14.3 can be corrupt; upgrade to 14.4 or later first, or check it with pg_amcheck --heapallindexed

check version=140004
CREATE INDEX users_email ON users (email)
----
rewrite
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY
  detail: Table public.users has about 100 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY users_email ON users (email);

# Who has no right to it hears so from the server.
setup
CREATE ROLE index_not_concurrent; SET ROLE index_not_concurrent
----

check
CREATE INDEX users_email ON users (email)
----
pass

setup
RESET ROLE; DROP ROLE index_not_concurrent
----

# What is configured.
check action=block
CREATE INDEX users_email ON users (email)
----
block
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY
  detail: Table public.users has about 100 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY users_email ON users (email);

check action=warn
CREATE INDEX users_email ON users (email)
----
warn
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY
  detail: Table public.users has about 100 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY users_email ON users (email);

check action=off
CREATE INDEX users_email ON users (email)
----
pass

# What is allowed, with a reason.
check
/* pgsluice:allow index-not-concurrent reason="maintenance window" */ CREATE INDEX users_email ON users (email)
----
pass
  overridden: building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY

check
CREATE INDEX users_email -- pgsluice:allow index-not-concurrent
ON users (email)
----
rewrite
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY (the override in the comment does not count without reason="...")
  detail: Table public.users has about 100 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY users_email -- pgsluice:allow index-not-concurrent
    ON users (email);

# Never in a string.
check
CREATE INDEX users_email ON users (email) WHERE email <> '/* pgsluice:allow index-not-concurrent reason="x" */'
----
rewrite
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY
  detail: Table public.users has about 100 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY users_email ON users (email) WHERE email <> '/* pgsluice:allow index-not-concurrent reason="x" */';

begin
SET LOCAL pgsluice.allow = 'lock-without-budget,index-not-concurrent reason="maintenance window"'
----

# A block needs a login that may.
check
CREATE INDEX users_email ON users (email)
----
block
  building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY outside of the transaction (the override in the setting does not count: login "postgres" is not in overrides.roles)
  detail: Table public.users has about 100 rows, 16 kB.
  hint: CREATE INDEX CONCURRENTLY users_email ON users (email);
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.

check role
CREATE INDEX users_email ON users (email)
----
pass
  overridden: building index "users_email" blocks writes to "users" until it is done; use CREATE INDEX CONCURRENTLY outside of the transaction

rollback
----

# A partitioned table is new in this transaction, but not the table that has become its partition.
begin
CREATE TABLE around (LIKE users) PARTITION BY RANGE (id); ALTER TABLE around ATTACH PARTITION users DEFAULT; CREATE TABLE around_1 PARTITION OF around FOR VALUES FROM (200) TO (300)
----

check
CREATE INDEX around_email ON around (email)
----
block
  building index "around_email" blocks writes to "around" until it is done on all 2 partitions; index them one by one, concurrently, and attach each outside of the transaction
  detail: Table public.around has about 100 rows in 2 partitions, 24 kB.
  hint: Each by itself, outside of a transaction:
    CREATE INDEX around_email ON ONLY public.around (email);
    CREATE INDEX CONCURRENTLY around_1_email_idx ON public.around_1 (email);
    ALTER INDEX public.around_email ATTACH PARTITION public.around_1_email_idx;
    CREATE INDEX CONCURRENTLY users_email_idx ON public.users (email);
    ALTER INDEX public.around_email ATTACH PARTITION public.users_email_idx;
    Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.

check
CREATE INDEX around_email ON around_1 (email)
----
pass

rollback
----
