setup
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text UNIQUE, name text, seen bool, n int, at timestamptz, made timestamptz DEFAULT now());
CREATE TABLE orders (id serial PRIMARY KEY, user_id bigint, total int);
CREATE VIEW people AS SELECT * FROM users;
INSERT INTO users (email, name, n) VALUES ('a', 'a', 1); INSERT INTO orders (user_id) VALUES (1); ANALYZE
----

check rows=2000000 bytes=500000000
UPDATE users SET seen = false
----
rewrite
  UPDATE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
DELETE FROM users WHERE at < now() - interval '1 year'
----
rewrite
  DELETE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE users u SET n = n + 1, at = CURRENT_TIMESTAMP, name = lower(u.name) || 'now' WHERE u.id > 5
----
rewrite
  UPDATE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches

# Few rows, whatever the size of the table.
check small rows=9999 bytes=500000000
UPDATE users SET seen = false WHERE n = 5
----
pass

check rows=0
DELETE FROM users
----
pass

# A transaction cannot be left while it is open.
begin
SELECT 1
----

check rows=2000000
UPDATE users SET seen = false
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches, outside of the transaction
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

rollback
----

# 5: what the statement must not have.
check rows=2000000 bytes=500000000
UPDATE users SET seen = false RETURNING id
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: it has RETURNING, whose rows would come from many transactions; leave that out
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
WITH gone AS (DELETE FROM orders RETURNING user_id) UPDATE users SET seen = false FROM gone WHERE users.id = gone.user_id
----
block
  UPDATE of about 4,000,000 rows of "users" in one transaction cannot be run in batches: a query of its WITH writes, too; send that as a statement of its own
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
WITH gone AS (DELETE FROM orders WHERE total > 5 RETURNING *) SELECT count(*) FROM gone
----
block
  DELETE of about 2,000,000 rows of "orders" in one transaction cannot be run in batches: a query of WITH that writes cannot be split; send its UPDATE or DELETE as a statement of its own
  detail: An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
EXPLAIN ANALYZE DELETE FROM orders WHERE total > 5
----
block
  DELETE of about 2,000,000 rows of "orders" in one transaction cannot be run in batches: EXPLAIN ANALYZE cannot be split; send its UPDATE or DELETE as a statement of its own
  detail: An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000 major=15
MERGE INTO users USING orders ON users.id = orders.user_id WHEN MATCHED THEN DELETE
----
block
  MERGE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: MERGE cannot be split; send its UPDATE or DELETE as a statement of its own
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

# 1: what the table must be.
check rows=2000000 bytes=500000000
UPDATE people SET seen = false
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: "people" is a view; change the rows of its table
  detail: Table public.people has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

setup
CREATE TABLE parent (id serial PRIMARY KEY, a int); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
CREATE TABLE ruled (id serial PRIMARY KEY, a int); CREATE RULE quiet AS ON UPDATE TO ruled WHERE old.a = 7 DO ALSO NOTHING;
INSERT INTO parent (a) VALUES (1); INSERT INTO child (a) VALUES (1); INSERT INTO ruled (a) VALUES (1)
----

check rows=2000000 bytes=500000000
UPDATE parent SET a = 1
----
block
  UPDATE of about 2,000,000 rows of "parent" in one transaction cannot be run in batches: "parent" has children; change each table by itself, with ONLY
  detail: Table public.parent has about 2,000,000 rows, its children's included, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE ONLY parent SET a = 1
----
rewrite
  UPDATE of about 2,000,000 rows of "parent" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE ruled SET a = 1
----
block
  UPDATE of about 2,000,000 rows of "ruled" in one transaction cannot be run in batches: the rewrite rule "quiet" of "ruled" makes something else of it; change the rows without that
  detail: Table public.ruled has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

# 9: READ COMMITTED.
setup
SET default_transaction_isolation = 'repeatable read'
----

check rows=2000000 bytes=500000000
UPDATE users SET seen = false
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: this session's transactions are REPEATABLE READ, and each batch would see what the ones before it did not; let it be READ COMMITTED
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: SET default_transaction_isolation = 'read committed';

setup
RESET default_transaction_isolation
----

# 3: its own table; others are the matter of bulk-write-reads-tables.
check rows=2000000 bytes=500000000
UPDATE users SET n = (SELECT max(n) FROM users)
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: it reads "users" once more, where later batches would find what earlier ones have changed; select the rows without a sub-query
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
DELETE FROM users USING people WHERE people.n = users.n
----
block
  DELETE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: it reads "people" once more, where later batches would find what earlier ones have changed; select the rows without a sub-query
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
DELETE FROM users WHERE id IN (SELECT user_id FROM orders)
----
rewrite
  DELETE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches

# 4: what is not the same in every batch.
setup
CREATE FUNCTION looks() RETURNS int STABLE LANGUAGE sql AS 'SELECT max(n) FROM users';
CREATE FUNCTION stamped(n int, at timestamptz DEFAULT now()) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n + EXTRACT(SECOND FROM at)::int';
CREATE FUNCTION app_lower(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)';
CREATE FUNCTION odd(int, int) RETURNS bool VOLATILE LANGUAGE sql AS 'SELECT true'; CREATE OPERATOR <<<< (FUNCTION = odd, LEFTARG = int, RIGHTARG = int)
----

check rows=2000000 bytes=500000000
UPDATE users SET n = random()
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: random() is volatile, so that batches give other values; use constants or columns
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE users SET at = clock_timestamp()
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: clock_timestamp() is volatile, so that batches give other values; use constants or columns
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE orders SET total = nextval('orders_id_seq')
----
block
  UPDATE of about 2,000,000 rows of "orders" in one transaction cannot be run in batches: nextval() is volatile, so that batches give other values; use constants or columns
  detail: Table public.orders has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

# What a call leaves out is part of the statement, too.
check rows=2000000 bytes=500000000
UPDATE users SET n = stamped(n)
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: stamped() is volatile, so that batches give other values; use constants or columns
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE users SET n = stamped(n, '2020-01-01')
----
rewrite
  UPDATE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE users SET n = looks()
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: looks() may read tables, which change between batches; write what it does in place of it
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE users SET name = app_lower(name)
----
rewrite
  UPDATE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
DELETE FROM users WHERE n <<<< 5
----
block
  DELETE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: the function behind the operator <<<< is volatile, or may read tables; do without it
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
DELETE FROM users WHERE age(at) > interval '1 year'
----
block
  DELETE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: age() depends on when it is called; use now() or a constant
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

# What the session has set: the job may be taken up by another one of the same login.
setup
SET app.tenant = 'a'
----

check rows=2000000 bytes=500000000
UPDATE users SET n = 1 WHERE name = current_setting('app.tenant')
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: current_setting() depends on the session, and another may go on with the batches; write its value as a constant
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE users SET name = pg_catalog.current_setting('app.tenant', true)
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: pg_catalog.current_setting() depends on the session, and another may go on with the batches; write its value as a constant
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE users SET at = 'now'
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: "now" is read anew by each batch; use now() or a constant
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE users SET name = 'now'
----
rewrite
  UPDATE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE users SET name = to_char('yesterday', 'x')
----
pass

check rows=2000000 bytes=500000000
DELETE FROM users WHERE at < 'today'::timestamptz
----
block
  DELETE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: "today" is read anew by each batch; use now() or a constant
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE users SET made = DEFAULT
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: the default of "made" is not the same for each batch; write the value
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE users SET seen = DEFAULT, name = current_user
----
rewrite
  UPDATE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches

setup
CREATE DOMAIN stamp AS timestamptz DEFAULT clock_timestamp(); CREATE DOMAIN level AS int DEFAULT 5;
CREATE TABLE marked (id serial PRIMARY KEY, a timestamptz DEFAULT clock_timestamp(), b int, s stamp, l level, i int GENERATED BY DEFAULT AS IDENTITY);
INSERT INTO marked (b) VALUES (1)
----

check rows=2000000 bytes=500000000
UPDATE marked SET (a, b) = (DEFAULT, b + 1)
----
block
  UPDATE of about 2,000,000 rows of "marked" in one transaction cannot be run in batches: the default of "a" is not the same for each batch; write the value
  detail: Table public.marked has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE marked SET (b, l) = (b + 1, DEFAULT)
----
rewrite
  UPDATE of about 2,000,000 rows of "marked" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE marked SET s = DEFAULT
----
block
  UPDATE of about 2,000,000 rows of "marked" in one transaction cannot be run in batches: the default of "s" is not the same for each batch; write the value
  detail: Table public.marked has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE marked SET i = DEFAULT
----
block
  UPDATE of about 2,000,000 rows of "marked" in one transaction cannot be run in batches: the default of "i" is not the same for each batch; write the value
  detail: Table public.marked has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

setup
CREATE TABLE dated (id serial PRIMARY KEY, name timestamptz); INSERT INTO dated (name) VALUES (now())
----

check rows=2000000 bytes=500000000
WITH c AS (SELECT 'now'::timestamptz AS n) UPDATE users SET at = c.n FROM c
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: "now" is read anew by each batch; use now() or a constant
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE users SET seen = true FROM dated AS o WHERE o.name < 'now'
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: "now" is read anew by each batch; use now() or a constant
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

# A function may be called as if it were a column.
setup
CREATE TABLE noted (id serial PRIMARY KEY, a int, b int); INSERT INTO noted (a) VALUES (1);
CREATE TABLE noted_random (id uuid PRIMARY KEY, a int); INSERT INTO noted_random VALUES ('00000000-0000-0000-0000-000000000001', 1);
CREATE FUNCTION dice(noted) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT random()::int'; CREATE FUNCTION more(noted_random) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1.a + 1';
CREATE FUNCTION a(noted) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT random()::int'; CREATE FUNCTION b(int) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT $1'
----

check rows=2000000 bytes=500000000
UPDATE noted SET b = noted.dice
----
block
  UPDATE of about 2,000,000 rows of "noted" in one transaction cannot be run in batches: "dice" behind a dot may call the function dice() by attribute notation, which is volatile or may read tables; do without it
  detail: Table public.noted has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE noted n SET b = (n).dice
----
block
  UPDATE of about 2,000,000 rows of "noted" in one transaction cannot be run in batches: "dice" behind a dot may call the function dice() by attribute notation, which is volatile or may read tables; do without it
  detail: Table public.noted has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE noted SET b = 5 WHERE public.noted.dice > 3
----
block
  UPDATE of about 2,000,000 rows of "noted" in one transaction cannot be run in batches: "dice" behind a dot may call the function dice() by attribute notation, which is volatile or may read tables; do without it
  detail: Table public.noted has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE noted n SET b = n.a WHERE n.b = 5
----
rewrite
  UPDATE of about 2,000,000 rows of "noted" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE noted_random SET a = noted_random.more WHERE a IS DISTINCT FROM 5
----
block
  UPDATE of about 2,000,000 rows of "noted_random" in one transaction cannot be run in batches: keys of new rows of "noted_random" may lie anywhere, so that rows that come meanwhile would be changed, too; override it to run it whole
  detail: Table public.noted_random has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

# 2: the key.
setup
CREATE TABLE keyless (a int, b int UNIQUE); INSERT INTO keyless VALUES (1);
CREATE TYPE pair AS (a int, b int); CREATE TABLE paired (k pair PRIMARY KEY, a int); INSERT INTO paired VALUES ((1, 2), 1);
CREATE TABLE events (id bigserial, day date, a int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); CREATE TABLE events_2 PARTITION OF events DEFAULT;
INSERT INTO events (day, a) VALUES ('2020-02-02', 1), ('2022-02-02', 1)
----

check rows=2000000 bytes=500000000
UPDATE keyless SET a = 1
----
block
  UPDATE of about 2,000,000 rows of "keyless" in one transaction cannot be run in batches: "keyless" has no primary key or unique index over NOT NULL columns that batches can go along; give it one
  detail: Table public.keyless has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: CREATE UNIQUE INDEX CONCURRENTLY ON public.keyless (columns that are NOT NULL);

check rows=2000000 bytes=500000000
UPDATE paired SET a = 1
----
block
  UPDATE of about 2,000,000 rows of "paired" in one transaction cannot be run in batches: "paired" has no primary key or unique index over NOT NULL columns that batches can go along; give it one
  detail: Table public.paired has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: CREATE UNIQUE INDEX CONCURRENTLY ON public.paired (columns that are NOT NULL);

check rows=2000000 bytes=500000000
UPDATE orders SET id = id + 1000
----
block
  UPDATE of about 2,000,000 rows of "orders" in one transaction cannot be run in batches: it assigns "id" of the key that the batches go along; give other keys to new rows instead
  detail: Table public.orders has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE events SET day = day + 1
----
block
  UPDATE of about 2,000,000 rows of "events" in one transaction cannot be run in batches: it assigns "day", by which "events" is partitioned, so that rows move; delete them and insert them anew
  detail: Table public.events has about 2,000,000 rows in 2 partitions, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE events SET a = a + 1
----
rewrite
  UPDATE of about 2,000,000 rows of "events" in one transaction keeps them locked until the last is done; run it in batches

# 6: two batches that meet.
check rows=2000000 bytes=500000000
UPDATE users SET email = lower(email)
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: it assigns "email", which is in "users_email_key": two batches may meet in a value that one statement does not; assign it in pieces that cannot meet
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

setup
CREATE TABLE rooms (id serial PRIMARY KEY, span int4range, shut bool, EXCLUDE USING gist (span WITH &&) WHERE (NOT shut)); INSERT INTO rooms (span) VALUES ('[1,2)')
----

check rows=2000000 bytes=500000000
UPDATE rooms SET shut = false
----
block
  UPDATE of about 2,000,000 rows of "rooms" in one transaction cannot be run in batches: it assigns "shut", which is in "rooms_span_excl": two batches may meet in a value that one statement does not; assign it in pieces that cannot meet
  detail: Table public.rooms has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

# 7: triggers.
setup
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.at = now(); RETURN NEW; END';
CREATE FUNCTION counts() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.n = (SELECT count(*) FROM touched); RETURN NEW; END';
CREATE FUNCTION rekeys() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.id := NEW.id + 1; RETURN NEW; END';
CREATE TABLE touched (id serial PRIMARY KEY, at timestamptz, n int); INSERT INTO touched DEFAULT VALUES;
CREATE TRIGGER touch BEFORE UPDATE ON touched FOR EACH ROW EXECUTE FUNCTION touch()
----

check rows=2000000 bytes=500000000
UPDATE touched SET n = 1
----
rewrite
  UPDATE of about 2,000,000 rows of "touched" in one transaction keeps them locked until the last is done; run it in batches

setup
CREATE TRIGGER counts BEFORE UPDATE OF n ON touched FOR EACH ROW EXECUTE FUNCTION counts()
----

check rows=2000000 bytes=500000000
UPDATE touched SET n = 1
----
block
  UPDATE of about 2,000,000 rows of "touched" in one transaction cannot be run in batches: trigger "counts" of "touched" runs counts(), which may read tables or change more than its row; see to it that it does not
  detail: Table public.touched has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE touched SET at = NULL
----
rewrite
  UPDATE of about 2,000,000 rows of "touched" in one transaction keeps them locked until the last is done; run it in batches

setup
CREATE FUNCTION signs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.n = current_setting(''app.tenant''); RETURN NEW; END';
DROP TRIGGER counts ON touched; CREATE TRIGGER signs BEFORE UPDATE ON touched FOR EACH ROW EXECUTE FUNCTION signs()
----

check rows=2000000 bytes=500000000
UPDATE touched SET at = NULL
----
block
  UPDATE of about 2,000,000 rows of "touched" in one transaction cannot be run in batches: trigger "signs" of "touched" runs signs(), which reads a setting of the session, and another may go on with the batches; see to it that it does not
  detail: Table public.touched has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

setup
DROP TRIGGER signs ON touched; CREATE TRIGGER all_at_once AFTER UPDATE ON touched FOR EACH STATEMENT EXECUTE FUNCTION touch()
----

check rows=2000000 bytes=500000000
UPDATE touched SET n = 1
----
block
  UPDATE of about 2,000,000 rows of "touched" in one transaction cannot be run in batches: trigger "all_at_once" of "touched" is for the statement as a whole, and would run for each batch; make it one for rows
  detail: Table public.touched has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

setup
DROP TRIGGER all_at_once ON touched; CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON touched DEFERRABLE FOR EACH ROW EXECUTE FUNCTION touch()
----

check rows=2000000 bytes=500000000
UPDATE touched SET n = 1
----
block
  UPDATE of about 2,000,000 rows of "touched" in one transaction cannot be run in batches: trigger "later" of "touched" may wait for the COMMIT, which comes with each batch; make it one that is not deferrable
  detail: Table public.touched has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

setup
DROP TRIGGER later ON touched; CREATE TRIGGER rekeys BEFORE UPDATE ON touched FOR EACH ROW EXECUTE FUNCTION rekeys()
----

check rows=2000000 bytes=500000000
UPDATE touched SET n = 1
----
block
  UPDATE of about 2,000,000 rows of "touched" in one transaction cannot be run in batches: it assigns "id" of the key that the batches go along; give other keys to new rows instead
  detail: Table public.touched has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
DELETE FROM touched
----
rewrite
  DELETE of about 2,000,000 rows of "touched" in one transaction keeps them locked until the last is done; run it in batches

# NEW by another name.
setup
CREATE FUNCTION rekeys_alias() RETURNS trigger LANGUAGE plpgsql AS 'DECLARE updated ALIAS FOR new; BEGIN updated.id := updated.id + 1; RETURN new; END';
CREATE FUNCTION rekeys_quoted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "new".id := "new".id + 1; RETURN new; END';
CREATE TABLE aliased (id serial PRIMARY KEY, n int); INSERT INTO aliased DEFAULT VALUES;
CREATE TABLE renewed (id serial PRIMARY KEY, n int); INSERT INTO renewed DEFAULT VALUES;
CREATE TRIGGER rekeys BEFORE UPDATE ON aliased FOR EACH ROW EXECUTE FUNCTION rekeys_alias();
CREATE TRIGGER rekeys BEFORE UPDATE ON renewed FOR EACH ROW EXECUTE FUNCTION rekeys_quoted()
----

check rows=2000000 bytes=500000000
UPDATE aliased SET n = 1
----
block
  UPDATE of about 2,000,000 rows of "aliased" in one transaction cannot be run in batches: trigger "rekeys" of "aliased" runs rekeys_alias(), which may read tables or change more than its row; see to it that it does not
  detail: Table public.aliased has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE renewed SET n = 1
----
block
  UPDATE of about 2,000,000 rows of "renewed" in one transaction cannot be run in batches: it assigns "id" of the key that the batches go along; give other keys to new rows instead
  detail: Table public.renewed has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

# What is generated of an assigned column is assigned with it.
setup
CREATE TABLE derived (id serial PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED UNIQUE); INSERT INTO derived (n) VALUES (1);
CREATE TABLE derived_key (n int, key int GENERATED ALWAYS AS (n * 2) STORED PRIMARY KEY); INSERT INTO derived_key VALUES (1);
CREATE TABLE derived_next (id uuid PRIMARY KEY, n int, next int GENERATED ALWAYS AS (n + 1) STORED); INSERT INTO derived_next VALUES ('00000000-0000-0000-0000-000000000001', 1);
CREATE TABLE derived_fires (id serial PRIMARY KEY, n int, next int GENERATED ALWAYS AS (n + 1) STORED); INSERT INTO derived_fires (n) VALUES (1);
CREATE TRIGGER sees_next AFTER UPDATE OF next ON derived_fires FOR EACH STATEMENT EXECUTE FUNCTION touch()
----

check rows=2000000 bytes=500000000
UPDATE derived SET n = n + 1
----
block
  UPDATE of about 2,000,000 rows of "derived" in one transaction cannot be run in batches: it assigns "twice", which is in "derived_twice_key": two batches may meet in a value that one statement does not; assign it in pieces that cannot meet
  detail: Table public.derived has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE derived_key SET n = n + 1
----
block
  UPDATE of about 2,000,000 rows of "derived_key" in one transaction cannot be run in batches: it assigns "key" of the key that the batches go along; give other keys to new rows instead
  detail: Table public.derived_key has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE derived_next SET n = next WHERE n IS DISTINCT FROM 5
----
block
  UPDATE of about 2,000,000 rows of "derived_next" in one transaction cannot be run in batches: keys of new rows of "derived_next" may lie anywhere, so that rows that come meanwhile would be changed, too; override it to run it whole
  detail: Table public.derived_next has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE derived_fires SET n = 5
----
block
  UPDATE of about 2,000,000 rows of "derived_fires" in one transaction cannot be run in batches: trigger "sees_next" of "derived_fires" is for the statement as a whole, and would run for each batch; make it one for rows
  detail: Table public.derived_fires has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
DELETE FROM derived
----
rewrite
  DELETE of about 2,000,000 rows of "derived" in one transaction keeps them locked until the last is done; run it in batches

# 8: foreign keys.
setup
CREATE TABLE items (id serial PRIMARY KEY, order_id int CONSTRAINT items_order REFERENCES orders ON DELETE CASCADE);
INSERT INTO items (order_id) VALUES (1); ANALYZE items;
CREATE TABLE nodes (id serial PRIMARY KEY, parent int CONSTRAINT nodes_parent REFERENCES nodes); INSERT INTO nodes DEFAULT VALUES
----

check rows=2000000 bytes=500000000
DELETE FROM orders
----
block
  DELETE of about 2,000,000 rows of "orders" in one transaction cannot be run in batches: the foreign key "items_order" of "items" has no index, so that each deleted row reads all of that table; create one first
  detail: Table public.orders has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: CREATE INDEX CONCURRENTLY ON public.items (order_id);
    DELETE FROM orders;

check rows=2000000 bytes=500000000
UPDATE orders SET total = 5
----
rewrite
  UPDATE of about 2,000,000 rows of "orders" in one transaction keeps them locked until the last is done; run it in batches

setup
CREATE INDEX ON items (order_id)
----

check rows=2000000 bytes=500000000
DELETE FROM orders
----
rewrite
  DELETE of about 2,000,000 rows of "orders" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
DELETE FROM nodes
----
block
  DELETE of about 2,000,000 rows of "nodes" in one transaction cannot be run in batches: its rows reference each other ("nodes_parent"), and those of later batches may need those of earlier ones; delete the last of each chain first
  detail: Table public.nodes has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

setup
ALTER TABLE orders ADD item int CONSTRAINT back REFERENCES items ON DELETE CASCADE
----

check rows=2000000 bytes=500000000
DELETE FROM orders
----
block
  DELETE of about 2,000,000 rows of "orders" in one transaction cannot be run in batches: what is deleted with its rows (ON DELETE CASCADE) leads back to the table itself; delete from the other tables first
  detail: Table public.orders has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

# 10: row security, and rights.
setup
CREATE TABLE owned (id serial PRIMARY KEY, who name, a int); ALTER TABLE owned ENABLE ROW LEVEL SECURITY; INSERT INTO owned (a) VALUES (1);
CREATE POLICY mine ON owned USING (who = current_user); GRANT SELECT, UPDATE ON owned, events TO PUBLIC; GRANT UPDATE (a) ON keyless TO PUBLIC;
CREATE TABLE grown (id serial PRIMARY KEY, a int); GRANT UPDATE ON grown TO PUBLIC; INSERT INTO grown (a) VALUES (1)
----

setup
SET ROLE pg_monitor
----

check rows=2000000 bytes=500000000
UPDATE owned SET a = 1
----
rewrite
  UPDATE of about 2,000,000 rows of "owned" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE grown SET a = 1
----
block
  UPDATE of about 2,000,000 rows of "grown" in one transaction cannot be run in batches: the batches go along the key of "grown" by its own name; grant SELECT and UPDATE on it
  detail: Table public.grown has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: GRANT SELECT, UPDATE ON public.grown TO pg_monitor;

check rows=2000000 bytes=500000000
UPDATE events SET a = 1
----
block
  UPDATE of about 2,000,000 rows of "events" in one transaction cannot be run in batches: the batches go along the key of "events_1" by its own name; grant SELECT and UPDATE on it
  detail: Table public.events has about 2,000,000 rows in 2 partitions, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: GRANT SELECT, UPDATE ON public.events_1 TO pg_monitor;

setup
RESET ROLE; CREATE POLICY others ON owned USING (EXISTS (SELECT FROM orders)); GRANT SELECT ON orders TO PUBLIC; ALTER TABLE events ENABLE ROW LEVEL SECURITY; SET ROLE pg_monitor
----

check rows=2000000 bytes=500000000
UPDATE owned SET a = 1
----
block
  UPDATE of about 2,000,000 rows of "owned" in one transaction cannot be run in batches: the policy "others" of "owned" looks at more than the row itself; use a login that row security does not hold for
  detail: Table public.owned has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE events SET a = 1
----
block
  UPDATE of about 2,000,000 rows of "events" in one transaction cannot be run in batches: row security of "events" holds for this login, and would not on its partitions; use a login that it does not hold for
  detail: Table public.events has about 2,000,000 rows in 2 partitions, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

# What the policies look at must be the same for each batch, and for another session.
setup
RESET ROLE; DROP POLICY others ON owned; CREATE POLICY tenant ON owned USING (a::text = current_setting('app.tenant')); SET ROLE pg_monitor
----

check rows=2000000 bytes=500000000
UPDATE owned SET a = 1
----
block
  UPDATE of about 2,000,000 rows of "owned" in one transaction cannot be run in batches: the policy "tenant" of "owned" looks at more than the row itself; use a login that row security does not hold for
  detail: Table public.owned has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

setup
RESET ROLE; DROP POLICY tenant ON owned; CREATE POLICY timed ON owned USING (CURRENT_DATE > date '2020-01-01'); SET ROLE pg_monitor
----

check rows=2000000 bytes=500000000
UPDATE owned SET a = 1
----
block
  UPDATE of about 2,000,000 rows of "owned" in one transaction cannot be run in batches: the policy "timed" of "owned" looks at more than the row itself; use a login that row security does not hold for
  detail: Table public.owned has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

# The ranges read the key, so that policies for SELECT would hold that do not hold for the statement.
setup
RESET ROLE; CREATE TABLE hidden (id serial PRIMARY KEY, hid bool, a int); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; INSERT INTO hidden (a) VALUES (1);
GRANT SELECT, UPDATE, DELETE ON hidden TO PUBLIC; CREATE POLICY any_row ON hidden FOR UPDATE USING (true); CREATE POLICY no_row ON hidden FOR DELETE USING (false);
CREATE POLICY seen ON hidden FOR SELECT USING (NOT hid); SET ROLE pg_monitor
----

check rows=2000000 bytes=500000000
UPDATE hidden SET a = 1
----
block
  UPDATE of about 2,000,000 rows of "hidden" in one transaction cannot be run in batches: the policy "any_row" of "hidden" is not the same for SELECT as for UPDATE, and the batches read the key; use a login that row security does not hold for
  detail: Table public.hidden has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

setup
RESET ROLE; DROP POLICY seen ON hidden; DROP POLICY any_row ON hidden; CREATE POLICY theirs ON hidden FOR SELECT TO pg_read_all_stats USING (NOT hid);
CREATE POLICY mine ON hidden USING (NOT hid) WITH CHECK (NOT hid); CREATE POLICY others ON hidden FOR SELECT TO pg_signal_backend USING (hid); SET ROLE pg_signal_backend
----

check rows=2000000 bytes=500000000
UPDATE hidden SET a = 1
----
block
  UPDATE of about 2,000,000 rows of "hidden" in one transaction cannot be run in batches: the policy "others" of "hidden" is not the same for SELECT as for UPDATE, and the batches read the key; use a login that row security does not hold for
  detail: Table public.hidden has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

setup
RESET ROLE; SET ROLE pg_read_all_settings
----

check rows=2000000 bytes=500000000
UPDATE hidden SET a = 1
----
rewrite
  UPDATE of about 2,000,000 rows of "hidden" in one transaction keeps them locked until the last is done; run it in batches

setup
RESET ROLE; ALTER POLICY mine ON hidden WITH CHECK (true); SET ROLE pg_read_all_settings
----

check rows=2000000 bytes=500000000
UPDATE hidden SET a = 1
----
block
  UPDATE of about 2,000,000 rows of "hidden" in one transaction cannot be run in batches: the policy "mine" of "hidden" is not the same for SELECT as for UPDATE, and the batches read the key; use a login that row security does not hold for
  detail: Table public.hidden has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

setup
RESET ROLE
----

# 11: rows that come meanwhile.
setup
CREATE TABLE random (id uuid PRIMARY KEY, a int, done bool, s text, t text, at timestamptz, list int[]);
INSERT INTO random VALUES ('00000000-0000-0000-0000-000000000001', 1);
CREATE TABLE cached (id bigint GENERATED ALWAYS AS IDENTITY (CACHE 20) PRIMARY KEY, a int); INSERT INTO cached (a) VALUES (1)
----

check rows=2000000 bytes=500000000
UPDATE random SET a = a + 1
----
block
  UPDATE of about 2,000,000 rows of "random" in one transaction cannot be run in batches: keys of new rows of "random" may lie anywhere, so that rows that come meanwhile would be changed, too; override it to run it whole
  detail: Table public.random has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE random SET done = false
----
block
  UPDATE of about 2,000,000 rows of "random" in one transaction cannot be run in batches: keys of new rows of "random" may lie anywhere, so that rows that come meanwhile would be changed, too; let its condition say what is left to do
  detail: Table public.random has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: Add to its condition: done IS DISTINCT FROM (the new value)

check rows=2000000 bytes=500000000
UPDATE random SET done = false WHERE done IS DISTINCT FROM false
----
rewrite
  UPDATE of about 2,000,000 rows of "random" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE random SET s = 'old' WHERE s <> 'archived'
----
block
  UPDATE of about 2,000,000 rows of "random" in one transaction cannot be run in batches: keys of new rows of "random" may lie anywhere, so that rows that come meanwhile would be changed, too; let its condition say what is left to do
  detail: Table public.random has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: Add to its condition: s IS DISTINCT FROM (the new value)

check rows=2000000 bytes=500000000
UPDATE random SET s = 'old' WHERE s <> 'old' OR a > 5
----
block
  UPDATE of about 2,000,000 rows of "random" in one transaction cannot be run in batches: keys of new rows of "random" may lie anywhere, so that rows that come meanwhile would be changed, too; let its condition say what is left to do
  detail: Table public.random has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: Add to its condition: s IS DISTINCT FROM (the new value)

check rows=2000000 bytes=500000000
UPDATE random AS o SET s = 'old' FROM orders WHERE o.a = orders.total AND orders.user_id <> 5 AND o.s IS NOT NULL
----
block
  UPDATE of about 2,000,000 rows of "random" in one transaction cannot be run in batches: keys of new rows of "random" may lie anywhere, so that rows that come meanwhile would be changed, too; let its condition say what is left to do
  detail: Table public.random has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: Add to its condition: s IS DISTINCT FROM (the new value)

check rows=2000000 bytes=500000000
UPDATE random SET s = 'new' FROM orders AS o (id, s2, total) WHERE random.a = o.total AND o.s2 IS NULL
----
block
  UPDATE of about 2,000,000 rows of "random" in one transaction cannot be run in batches: keys of new rows of "random" may lie anywhere, so that rows that come meanwhile would be changed, too; let its condition say what is left to do
  detail: Table public.random has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: Add to its condition: s IS DISTINCT FROM (the new value)

check rows=2000000 bytes=500000000
UPDATE random SET list[1] = 5, done = DEFAULT WHERE list IS NULL
----
block
  UPDATE of about 2,000,000 rows of "random" in one transaction cannot be run in batches: keys of new rows of "random" may lie anywhere, so that rows that come meanwhile would be changed, too; override it to run it whole
  detail: Table public.random has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000
UPDATE random SET s = upper(t) WHERE s IS NULL
----
block
  UPDATE of about 2,000,000 rows of "random" in one transaction cannot be run in batches: keys of new rows of "random" may lie anywhere, so that rows that come meanwhile would be changed, too; let its condition say what is left to do
  detail: Table public.random has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: Add to its condition: s IS DISTINCT FROM (the new value)

check rows=2000000 bytes=500000000
UPDATE random SET a = 2 WHERE a = 1 AND 'x' <> s AND NOT done
----
block
  UPDATE of about 2,000,000 rows of "random" in one transaction cannot be run in batches: keys of new rows of "random" may lie anywhere, so that rows that come meanwhile would be changed, too; let its condition say what is left to do
  detail: Table public.random has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: Add to its condition: a IS DISTINCT FROM (the new value)

check rows=2000000 bytes=500000000
UPDATE random AS o SET s = 'old' WHERE 'old' <> o.s AND a > 5
----
rewrite
  UPDATE of about 2,000,000 rows of "random" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE random SET s = upper(t) WHERE s IS DISTINCT FROM upper(t)
----
rewrite
  UPDATE of about 2,000,000 rows of "random" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE random SET s = coalesce(upper(t), '') WHERE s IS NULL
----
rewrite
  UPDATE of about 2,000,000 rows of "random" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE random SET at = now() WHERE at IS NULL
----
rewrite
  UPDATE of about 2,000,000 rows of "random" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE random SET at = NULL WHERE at IS NOT NULL
----
rewrite
  UPDATE of about 2,000,000 rows of "random" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE random SET done = true WHERE done IS NULL OR NOT done
----
rewrite
  UPDATE of about 2,000,000 rows of "random" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE random SET done = false WHERE done AND a > 5
----
rewrite
  UPDATE of about 2,000,000 rows of "random" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
UPDATE cached SET a = 5
----
block
  UPDATE of about 2,000,000 rows of "cached" in one transaction cannot be run in batches: keys of new rows of "cached" may lie anywhere, so that rows that come meanwhile would be changed, too; let its condition say what is left to do
  detail: Table public.cached has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.
  hint: Add to its condition: a IS DISTINCT FROM (the new value)

check rows=2000000 bytes=500000000
DELETE FROM random WHERE a < 5
----
rewrite
  DELETE of about 2,000,000 rows of "random" in one transaction keeps them locked until the last is done; run it in batches

check rows=2000000 bytes=500000000
DELETE FROM random
----
block
  DELETE of about 2,000,000 rows of "random" in one transaction cannot be run in batches: keys of new rows of "random" may lie anywhere, so that rows that come meanwhile would be changed, too; override it to run it whole
  detail: Table public.random has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

# Rows of a query are only warned of.
check rows=2000000 bytes=500000000
INSERT INTO orders (user_id) SELECT id FROM users WHERE seen
----
warn
  INSERT of about 2,000,000 rows into orders in one transaction: replicas and vacuum wait for all of it; insert it in ranges of the source's key
  hint: Add to its condition, one range after the other, up to the last key of users:
      key > 'the last one' AND key <= (SELECT max(key) FROM (SELECT key FROM users WHERE key > 'the last one' ORDER BY key LIMIT 1) AS next)

check small rows=9999
INSERT INTO orders (user_id) SELECT id FROM users WHERE seen
----
pass

# Nobody waits for a table of one's own.
begin
CREATE TABLE fresh AS SELECT generate_series(1, 100000) AS a; CREATE TEMP TABLE mine AS SELECT 1 AS a
----

check
UPDATE fresh SET a = a + 1
----
pass

check
UPDATE mine SET a = a + 1
----
pass

rollback
----

# The server says itself that nothing can be written.
setup
SET default_transaction_read_only = on
----

check rows=2000000
DELETE FROM users
----
pass

setup
RESET default_transaction_read_only
----

check unknown
DELETE FROM users
----
warn
  DELETE of "users" keeps its rows locked until the last is done; it runs in batches if the planner expects 1 rows or more and nothing stands in the way
  unknown: how many rows of "users" it changes

check rows=2000000 bytes=500000000
/* pgsluice:allow bulk-write reason="nobody is here at night" */ UPDATE users SET seen = false
----
pass
  overridden: UPDATE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches

locks
UPDATE users SET seen = false
----
users RowExclusiveLock
users_email_key RowExclusiveLock
users_pkey RowExclusiveLock

# A migration tool's own version table.
setup
CREATE TABLE schema_migrations (version bigint not null primary key, dirty boolean not null); INSERT INTO schema_migrations VALUES (1, false)
----

check
DELETE FROM schema_migrations
----
pass

# Deferred, where somebody asks for it and nothing else is in the way.
begin
SELECT 1
----

check rows=2000000 ledger
/* pgsluice:defer */ UPDATE users SET seen = false
----
rewrite
  UPDATE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches, right behind the COMMIT

check rows=2000000 bytes=500000000
/* pgsluice:defer */ UPDATE users SET seen = false
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches, outside of the transaction
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    To defer it there must be a ledger: run "pgsluice install" once.

check rows=2000000 bytes=500000000 ledger
/* pgsluice:defer */ UPDATE users SET n = random()
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction cannot be run in batches: random() is volatile, so that batches give other values; use constants or columns
  detail: Table public.users has about 2,000,000 rows, 477 MB.
    An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.

check rows=2000000 bytes=500000000 ledger
UPDATE users SET seen = false
----
block
  UPDATE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches, outside of the transaction
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or write /* pgsluice:defer */ in front of it: then it runs right behind the COMMIT. How many rows it changes is not known before, and nothing but the version table may follow.

check rows=2000000 bytes=500000000 ledger
-- pgsluice:defer
DELETE FROM users WHERE name = '/* pgsluice:defer */'
----
rewrite
  DELETE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches, right behind the COMMIT

check rows=2000000 bytes=500000000 ledger
DELETE FROM users WHERE name = '/* pgsluice:defer */'
----
block
  DELETE of about 2,000,000 rows of "users" in one transaction keeps them locked until the last is done; run it in batches, outside of the transaction
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.
    Or write /* pgsluice:defer */ in front of it: then it runs right behind the COMMIT. How many rows it changes is not known before, and nothing but the version table may follow.

rollback
----

# The planner takes a table that was never vacuumed for ten pages full; there is nothing in this one.
setup
CREATE TABLE hollow (id int PRIMARY KEY, a int)
----

check
UPDATE hollow SET a = 1 WHERE a IS NULL
----
pass

check
DELETE FROM hollow
----
pass

setup
INSERT INTO hollow VALUES (1), (2)
----

check
UPDATE hollow SET a = 1 WHERE a IS NULL
----
rewrite
  UPDATE of about 2,260 rows of "hollow" in one transaction keeps them locked until the last is done; run it in batches

# The rows of what a parent that is new in this transaction took in.
setup
CREATE TABLE taken_in (a int); INSERT INTO taken_in VALUES (1)
----

begin
CREATE TABLE around (a int); ALTER TABLE taken_in INHERIT around
----

check rows=2000000 bytes=500000000
DELETE FROM around
----
block
  DELETE of about 2,000,000 rows of "around" in one transaction keeps them locked until the last is done; run it in batches, outside of the transaction
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

rollback
----
