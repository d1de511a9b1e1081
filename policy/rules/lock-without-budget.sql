setup
CREATE TABLE users (id int PRIMARY KEY, email text); INSERT INTO users VALUES (1); CREATE INDEX users_email ON users (email);
CREATE TABLE orders (user_id int REFERENCES users); CREATE VIEW seen AS SELECT 1 AS a; CREATE SEQUENCE counted;
CREATE TABLE empty (a int)
----

# The change itself takes a millisecond. The wait for its lock takes as long as the longest transaction on the table.
check
ALTER TABLE users ADD COLUMN nick text
----
rewrite
  AccessExclusiveLock on "users" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

# A table of this transaction is locked by nobody else.
begin
CREATE TABLE fresh (a int REFERENCES users)
----

check
ALTER TABLE fresh ADD COLUMN b int
----
pass

# Its foreign key is, though.
check
DROP TABLE fresh
----
rewrite
  AccessExclusiveLock on "users" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

rollback
----

locks
ALTER TABLE users ADD COLUMN nick text
----
users AccessExclusiveLock

locks
DROP TABLE orders
----
(uncommitted) AccessExclusiveLock
users AccessExclusiveLock

# An empty table can have as many readers as any other.
check
ALTER TABLE empty ADD COLUMN b int
----
rewrite
  AccessExclusiveLock on "empty" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

check
DROP TABLE orders
----
rewrite
  AccessExclusiveLock on "orders" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

check
TRUNCATE users, orders
----
rewrite
  AccessExclusiveLock on "users" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

check
CREATE INDEX users_id ON users (id)
----
rewrite
  ShareLock on "users" makes writers queue behind it while it waits; run it under a short lock_timeout and try again

check
DROP INDEX users_email
----
rewrite
  AccessExclusiveLock on "users_email" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

check
DROP VIEW seen
----
rewrite
  AccessExclusiveLock on "seen" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

# A new table, but its foreign key locks writers out of the old one.
check
CREATE TABLE new (user_id int REFERENCES users)
----
rewrite
  ShareRowExclusiveLock on "users" makes writers queue behind it while it waits; run it under a short lock_timeout and try again

locks
CREATE TABLE new (user_id int REFERENCES users)
----
new AccessExclusiveLock
new AccessShareLock
new ShareRowExclusiveLock
users AccessShareLock
users ShareRowExclusiveLock

check
CREATE TABLE new (a int)
----
pass

check
CREATE TRIGGER t BEFORE INSERT ON users EXECUTE FUNCTION suppress_redundant_updates_trigger()
----
rewrite
  ShareRowExclusiveLock on "users" makes writers queue behind it while it waits; run it under a short lock_timeout and try again

check
ALTER SEQUENCE counted OWNED BY users.id
----
rewrite
  ShareRowExclusiveLock on "counted" makes writers queue behind it while it waits; run it under a short lock_timeout and try again

# In a transaction too.
begin
----

check
ALTER TABLE users RENAME TO customers
----
rewrite
  AccessExclusiveLock on "users" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

rollback
----

check
VACUUM (FULL) users
----
rewrite
  AccessExclusiveLock on "users" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

# The server does not let it into a transaction.
begin
----

check
VACUUM (FULL) users
----
pass

rollback
----

# Locks that let readers and writers work.
check
CREATE INDEX CONCURRENTLY users_id ON users (id)
----
pass

check
ALTER TABLE users VALIDATE CONSTRAINT anything
----
pass

check
ALTER TABLE users ALTER COLUMN email SET STATISTICS 100
----
pass

check
COMMENT ON TABLE users IS 'x'
----
pass

check
INSERT INTO users VALUES (2)
----
pass

# Nothing may run before it.
check
LOCK TABLE users
----
pass

check
ALTER TABLE missing ADD COLUMN a int
----
pass

setup
CREATE TEMPORARY TABLE scratch (a int)
----

check
ALTER TABLE scratch ADD COLUMN b int
----
pass

# golang-migrate empties its version table in every migration; to drop or alter it is a schema change like any other.
setup
CREATE TABLE schema_migrations (version bigint not null primary key, dirty boolean not null)
----

check
TRUNCATE "public"."schema_migrations"
----
pass

check
ALTER TABLE schema_migrations ADD COLUMN a int
----
rewrite
  AccessExclusiveLock on "schema_migrations" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

check
DROP TABLE schema_migrations
----
rewrite
  AccessExclusiveLock on "schema_migrations" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

# The same name, but not the columns.
setup
ALTER TABLE schema_migrations ADD COLUMN customer text
----

check
TRUNCATE schema_migrations
----
rewrite
  AccessExclusiveLock on "schema_migrations" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

check unknown
ALTER TABLE users ADD COLUMN nick text
----
rewrite
  AccessExclusiveLock on "users" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again
  unknown: whether "users" exists already

check
/* pgsluice:allow lock-without-budget reason="nobody else is here" */ ALTER TABLE users ADD COLUMN nick text
----
pass
  overridden: AccessExclusiveLock on "users" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

# Nor can the wait of a concurrent DETACH be cut short.
setup
CREATE TABLE events (at int) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (2)
----

check
ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY
----
pass

check
ALTER TABLE events DETACH PARTITION events_1
----
rewrite
  AccessExclusiveLock on "events" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

# A DO block runs as a whole under one budget.
check
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'nick') THEN
    ALTER TABLE users ADD COLUMN nick text;
  END IF;
END $$
----
rewrite
  AccessExclusiveLock on "users" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

locks
DO $$ BEGIN ALTER TABLE users ADD COLUMN nick text; END $$
----
users AccessExclusiveLock

check
DO $$ BEGIN
  ALTER TABLE users ADD CONSTRAINT email_given CHECK (email <> '') NOT VALID;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$
----
rewrite
  AccessExclusiveLock on "users" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

# A try that ends in a handler would look like a success.
check
DO $$ BEGIN
  ALTER TABLE users ADD COLUMN nick text;
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'there already';
END $$
----
block
  AccessExclusiveLock on "users" makes readers and writers queue behind it while it waits, and the handlers of this DO block would swallow the lock_timeout; send the schema change as a statement of its own
  hint: ALTER TABLE users ADD COLUMN nick text;
    Or name the errors that are expected: EXCEPTION WHEN duplicate_object THEN ..., not WHEN OTHERS.

check
DO $$ BEGIN
  ALTER TABLE users ADD COLUMN nick text;
  COMMIT;
END $$
----
block
  AccessExclusiveLock on "users" makes readers and writers queue behind it while it waits, and this DO block commits, so that it cannot be tried again; send the schema change as a statement of its own
  hint: ALTER TABLE users ADD COLUMN nick text;

check
DO $$ BEGIN
  CREATE TEMPORARY TABLE kept AS SELECT * FROM users;
  ALTER TABLE kept ADD COLUMN nick text;
  UPDATE users SET email = 'x' WHERE id = 1;
END $$
----
pass

check
CREATE FUNCTION widen() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
  ALTER TABLE users ADD COLUMN nick text;
END $$
----
warn
  line 2 of function "widen", when it runs: AccessExclusiveLock on "users" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

check
CREATE SCHEMA app CREATE TABLE seen (user_id int REFERENCES public.users) CREATE INDEX ON seen (user_id)
----
rewrite
  ShareRowExclusiveLock on "users" makes writers queue behind it while it waits; run it under a short lock_timeout and try again

check
EXPLAIN ANALYZE CREATE TABLE copied AS SELECT * FROM users
----
pass

# Only the catalog changes; the other end is not locked.
check
ALTER TABLE orders ALTER CONSTRAINT orders_user_id_fkey DEFERRABLE INITIALLY DEFERRED
----
rewrite
  AccessExclusiveLock on "orders" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

locks
ALTER TABLE orders ALTER CONSTRAINT orders_user_id_fkey DEFERRABLE INITIALLY DEFERRED
----
orders AccessExclusiveLock

# The table is there, and so nothing is locked.
check
CREATE TABLE IF NOT EXISTS orders (user_id int REFERENCES users)
----
pass

locks
CREATE TABLE IF NOT EXISTS orders (user_id int REFERENCES users)
----
(none)

check
CREATE TABLE IF NOT EXISTS more (user_id int REFERENCES users)
----
rewrite
  ShareRowExclusiveLock on "users" makes writers queue behind it while it waits; run it under a short lock_timeout and try again

# The column is there, and the lock is taken all the same.
check
ALTER TABLE users ADD COLUMN IF NOT EXISTS email text
----
rewrite
  AccessExclusiveLock on "users" makes readers and writers queue behind it while it waits; run it under a short lock_timeout and try again

locks
ALTER TABLE users ADD COLUMN IF NOT EXISTS email text
----
users AccessExclusiveLock
