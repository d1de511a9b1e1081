setup
CREATE SCHEMA app;
CREATE TABLE users (id int PRIMARY KEY, a int, b int, UNIQUE (a, b)); INSERT INTO users SELECT g, g, g FROM generate_series(1, 10) g;
CREATE TABLE app.orders (id int, user_id int, a int, b int, amount int); INSERT INTO app.orders SELECT g, g, g, g, g FROM generate_series(1, 10) g;
SET search_path = app, public
----

plan
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users
----
ALTER TABLE: adding "orders_user" to "orders" NOT VALID, validating afterwards
  check 23503 insert or update on table "orders" violates foreign key constraint "orders_user"
    WITH k(c1) AS MATERIALIZED (SELECT "user_id" FROM ONLY "app"."orders" AS c WHERE "user_id" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "public"."users" AS p WHERE p."id" OPERATOR(pg_catalog.=) c."user_id")) SELECT pg_catalog.concat('Key (user_id)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ') is not present in table "users".') FROM k LIMIT 1
  undo: ALTER TABLE "app"."orders" DROP CONSTRAINT IF EXISTS "orders_user"
  in place: ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID
    on app.orders and public.users, lock budget
  after commit: ALTER TABLE "app"."orders" VALIDATE CONSTRAINT "orders_user"
    on app.orders [2=user_id] and public.users [1=id]

# Named as the server would, in the client's spelling.
plan
alter table only orders add foreign key ("user_id") references public.users (id) on delete cascade deferrable initially deferred -- why
----
ALTER TABLE: adding "orders_user_id_fkey" to "orders" NOT VALID, validating afterwards
  check 23503 insert or update on table "orders" violates foreign key constraint "orders_user_id_fkey"
    WITH k(c1) AS MATERIALIZED (SELECT "user_id" FROM ONLY "app"."orders" AS c WHERE "user_id" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "public"."users" AS p WHERE p."id" OPERATOR(pg_catalog.=) c."user_id")) SELECT pg_catalog.concat('Key (user_id)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ') is not present in table "users".') FROM k LIMIT 1
  undo: ALTER TABLE "app"."orders" DROP CONSTRAINT IF EXISTS "orders_user_id_fkey"
  in place: alter table only orders add CONSTRAINT "orders_user_id_fkey" foreign key ("user_id") references public.users (id) on delete cascade deferrable initially deferred NOT VALID
    on app.orders and public.users, lock budget
  after commit: ALTER TABLE "app"."orders" VALIDATE CONSTRAINT "orders_user_id_fkey"
    on app.orders [2=user_id] and public.users [1=id]

plan
ALTER TABLE orders ADD FOREIGN KEY (a, b) REFERENCES users (a, b) MATCH FULL
----
ALTER TABLE: adding "orders_a_b_fkey" to "orders" NOT VALID, validating afterwards
  check 23503 insert or update on table "orders" violates foreign key constraint "orders_a_b_fkey"
    (WITH k(found) AS MATERIALIZED (SELECT 'MATCH FULL does not allow mixing of null and nonnull key values.' FROM ONLY "app"."orders" WHERE ("a" IS NULL OR "b" IS NULL) AND ("a" IS NOT NULL OR "b" IS NOT NULL)) SELECT found FROM k LIMIT 1) UNION ALL (WITH k(c1, c2) AS MATERIALIZED (SELECT "a", "b" FROM ONLY "app"."orders" AS c WHERE "a" IS NOT NULL AND "b" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "public"."users" AS p WHERE p."a" OPERATOR(pg_catalog.=) c."a" AND p."b" OPERATOR(pg_catalog.=) c."b")) SELECT pg_catalog.concat('Key (a, b)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ', ', COALESCE((c2
    )::pg_catalog.text, 'null'), ') is not present in table "users".') FROM k LIMIT 1) LIMIT 1
  undo: ALTER TABLE "app"."orders" DROP CONSTRAINT IF EXISTS "orders_a_b_fkey"
  in place: ALTER TABLE orders ADD CONSTRAINT "orders_a_b_fkey" FOREIGN KEY (a, b) REFERENCES users (a, b) MATCH FULL NOT VALID
    on app.orders and public.users, lock budget
  after commit: ALTER TABLE "app"."orders" VALIDATE CONSTRAINT "orders_a_b_fkey"
    on app.orders [3=a 4=b] and public.users [2=a 3=b]

plan
ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0)
----
ALTER TABLE: adding "positive" to "orders" NOT VALID, validating afterwards
  check 23514 check constraint "positive" of relation "orders" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "app"."orders" WHERE NOT (amount > 0
    )) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "app"."orders" DROP CONSTRAINT IF EXISTS "positive"
  in place: ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0) NOT VALID
    on app.orders, lock budget
  after commit: ALTER TABLE "app"."orders" VALIDATE CONSTRAINT "positive"
    on app.orders [5=amount]

plan
ALTER TABLE orders ADD CHECK (amount > 0 AND amount < 1000) NO INHERIT
----
ALTER TABLE: adding "orders_amount_check" to "orders" NOT VALID, validating afterwards
  check 23514 check constraint "orders_amount_check" of relation "orders" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM ONLY "app"."orders" WHERE NOT (amount > 0 AND amount < 1000
    )) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "app"."orders" DROP CONSTRAINT IF EXISTS "orders_amount_check"
  in place: ALTER TABLE orders ADD CONSTRAINT "orders_amount_check" CHECK (amount > 0 AND amount < 1000) NO INHERIT NOT VALID
    on app.orders, lock budget
  after commit: ALTER TABLE "app"."orders" VALIDATE CONSTRAINT "orders_amount_check"
    on app.orders [5=amount]

# All that needs it, in one statement; what else the statement does it does at once.
plan
ALTER TABLE orders ADD COLUMN note text DEFAULT 'x', ADD CHECK (amount <> 5000), ADD CHECK (amount <> 5000), ADD FOREIGN KEY (a) REFERENCES users, ADD UNIQUE (id)
----
ALTER TABLE: building "orders_id_key" on "orders" concurrently; adding "orders_amount_check1", "orders_amount_check2", "orders_a_fkey" to "orders" NOT VALID, validating afterwards
  probe
  check 23514 check constraint "orders_amount_check1" of relation "orders" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "app"."orders" WHERE NOT (amount <> 5000
    )) SELECT found FROM k LIMIT 1
  check 23514 check constraint "orders_amount_check2" of relation "orders" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "app"."orders" WHERE NOT (amount <> 5000
    )) SELECT found FROM k LIMIT 1
  check 23503 insert or update on table "orders" violates foreign key constraint "orders_a_fkey"
    WITH k(c1) AS MATERIALIZED (SELECT "a" FROM ONLY "app"."orders" AS c WHERE "a" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "public"."users" AS p WHERE p."id" OPERATOR(pg_catalog.=) c."a")) SELECT pg_catalog.concat('Key (a)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ') is not present in table "users".') FROM k LIMIT 1
  check 23505 could not create unique index "orders_id_key"
    SELECT pg_catalog.concat('Key ("id")=(', COALESCE(("id"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "app"."orders" WHERE ("id"
    ) IS NOT NULL GROUP BY "id"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  undo: ALTER TABLE "app"."orders" DROP COLUMN IF EXISTS "note", DROP CONSTRAINT IF EXISTS "orders_amount_check1", DROP CONSTRAINT IF EXISTS "orders_amount_check2", DROP CONSTRAINT IF EXISTS "orders_a_fkey", DROP CONSTRAINT IF EXISTS "orders_id_key"
  undo: DO $pgsluice_$BEGIN
IF EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	WHERE i.indrelid OPERATOR(pg_catalog.=) N::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) $pgsluice$orders_id_key$pgsluice$) THEN
EXECUTE $pgsluice$DROP INDEX "app"."orders_id_key"$pgsluice$;
END IF;
END$pgsluice_$
  in place: ALTER TABLE orders ADD COLUMN note text DEFAULT 'x', ADD CONSTRAINT "orders_amount_check1" CHECK (amount <> 5000) NOT VALID, ADD CONSTRAINT "orders_amount_check2" CHECK (amount <> 5000) NOT VALID, ADD CONSTRAINT "orders_a_fkey" FOREIGN KEY (a) REFERENCES users NOT VALID
    on app.orders and public.users, lock budget
  alone: CREATE UNIQUE INDEX CONCURRENTLY "orders_id_key" ON "app"."orders" ("id")
    on app.orders [1=id]
    index app.orders_id_key
  after commit: ALTER TABLE "app"."orders" ADD CONSTRAINT "orders_id_key" UNIQUE USING INDEX "orders_id_key"
    on app.orders [1=id], lock budget
  after commit: ALTER TABLE "app"."orders" VALIDATE CONSTRAINT "orders_amount_check1"
    on app.orders [5=amount]
  after commit: ALTER TABLE "app"."orders" VALIDATE CONSTRAINT "orders_amount_check2"
    on app.orders [5=amount]
  after commit: ALTER TABLE "app"."orders" VALIDATE CONSTRAINT "orders_a_fkey"
    on app.orders [3=a] and public.users [1=id]

# NOT VALID and VALIDATE together are two steps.
plan
ALTER TABLE orders ADD CONSTRAINT late CHECK (amount < 2000) NOT VALID, VALIDATE CONSTRAINT late
----
ALTER TABLE: adding "late" to "orders" NOT VALID, validating afterwards
  check 23514 check constraint "late" of relation "orders" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "app"."orders" WHERE NOT (amount < 2000
    )) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "app"."orders" DROP CONSTRAINT IF EXISTS "late"
  in place: ALTER TABLE orders ADD CONSTRAINT late CHECK (amount < 2000) NOT VALID
    on app.orders, lock budget
  after commit: ALTER TABLE "app"."orders" VALIDATE CONSTRAINT "late"
    on app.orders [5=amount]

# A VALIDATE by itself goes behind the COMMIT.
setup
ALTER TABLE orders ADD CONSTRAINT later FOREIGN KEY (b) REFERENCES users NOT VALID
----

plan
ALTER TABLE orders VALIDATE CONSTRAINT later
----
ALTER TABLE: validating the constraints of "orders" outside of the transaction
  after commit: ALTER TABLE "app"."orders" VALIDATE CONSTRAINT "later"
    on app.orders and public.users

plan
ALTER TABLE orders ADD COLUMN x int, ADD COLUMN y int, ADD CONSTRAINT mixed CHECK (amount < 2000) NOT VALID, VALIDATE CONSTRAINT mixed
----
ALTER TABLE: adding "mixed" to "orders" NOT VALID, validating afterwards
  check 23514 check constraint "mixed" of relation "orders" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "app"."orders" WHERE NOT (amount < 2000
    )) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "app"."orders" DROP COLUMN IF EXISTS "x", DROP COLUMN IF EXISTS "y", DROP CONSTRAINT IF EXISTS "mixed"
  in place: ALTER TABLE orders ADD COLUMN x int, ADD COLUMN y int, ADD CONSTRAINT mixed CHECK (amount < 2000) NOT VALID
    on app.orders, lock budget
  after commit: ALTER TABLE "app"."orders" VALIDATE CONSTRAINT "mixed"
    on app.orders [5=amount]

# What the same statement makes cannot be looked at before.
plan
ALTER TABLE orders ADD COLUMN fresh int, ADD CHECK (fresh > 0), ADD FOREIGN KEY (fresh) REFERENCES users
----
ALTER TABLE: adding "orders_fresh_check", "orders_fresh_fkey" to "orders" NOT VALID, validating afterwards
  undo: ALTER TABLE "app"."orders" DROP COLUMN IF EXISTS "fresh", DROP CONSTRAINT IF EXISTS "orders_fresh_check", DROP CONSTRAINT IF EXISTS "orders_fresh_fkey"
  in place: ALTER TABLE orders ADD COLUMN fresh int, ADD CONSTRAINT "orders_fresh_check" CHECK (fresh > 0) NOT VALID, ADD CONSTRAINT "orders_fresh_fkey" FOREIGN KEY (fresh) REFERENCES users NOT VALID
    on app.orders and public.users, lock budget
  after commit: ALTER TABLE "app"."orders" VALIDATE CONSTRAINT "orders_fresh_check"
    on app.orders
  after commit: ALTER TABLE "app"."orders" VALIDATE CONSTRAINT "orders_fresh_fkey"
    on app.orders and public.users [1=id]

# A table that references itself; inheritance; partitions.
plan
ALTER TABLE users ADD FOREIGN KEY (a) REFERENCES users
----
ALTER TABLE: adding "users_a_fkey" to "users" NOT VALID, validating afterwards
  check 23503 insert or update on table "users" violates foreign key constraint "users_a_fkey"
    WITH k(c1) AS MATERIALIZED (SELECT "a" FROM ONLY "public"."users" AS c WHERE "a" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "public"."users" AS p WHERE p."id" OPERATOR(pg_catalog.=) c."a")) SELECT pg_catalog.concat('Key (a)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ') is not present in table "users".') FROM k LIMIT 1
  undo: ALTER TABLE "public"."users" DROP CONSTRAINT IF EXISTS "users_a_fkey"
  in place: ALTER TABLE users ADD CONSTRAINT "users_a_fkey" FOREIGN KEY (a) REFERENCES users NOT VALID
    on public.users, lock budget
  after commit: ALTER TABLE "public"."users" VALIDATE CONSTRAINT "users_a_fkey"
    on public.users [2=a]

setup
CREATE TABLE parent (a int); CREATE TABLE child (b int) INHERITS (parent); INSERT INTO child VALUES (1, 1);
CREATE TABLE events (at int, user_id int) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10); INSERT INTO events VALUES (1, 1)
----

plan
ALTER TABLE parent ADD CHECK (a > 0)
----
ALTER TABLE: adding "parent_a_check" to "parent" NOT VALID, validating afterwards
  check 23514 check constraint "parent_a_check" of relation "parent" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "app"."parent" WHERE NOT (a > 0
    )) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "app"."parent" DROP CONSTRAINT IF EXISTS "parent_a_check"
  in place: ALTER TABLE parent ADD CONSTRAINT "parent_a_check" CHECK (a > 0) NOT VALID
    on app.parent, lock budget
  after commit: ALTER TABLE "app"."parent" VALIDATE CONSTRAINT "parent_a_check"
    on app.parent [1=a]

plan
ALTER TABLE events ADD CHECK (at > 0)
----
ALTER TABLE: adding "events_at_check" to "events" NOT VALID, validating afterwards
  check 23514 check constraint "events_at_check" of relation "events" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "app"."events" WHERE NOT (at > 0
    )) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "app"."events" DROP CONSTRAINT IF EXISTS "events_at_check"
  in place: ALTER TABLE events ADD CONSTRAINT "events_at_check" CHECK (at > 0) NOT VALID
    on app.events, lock budget
  after commit: ALTER TABLE "app"."events" VALIDATE CONSTRAINT "events_at_check"
    on app.events [1=at]

plan major=18
ALTER TABLE events ADD FOREIGN KEY (user_id) REFERENCES users
----
ALTER TABLE: adding "events_user_id_fkey" to "events" NOT VALID, validating afterwards
  check 23503 insert or update on table "events" violates foreign key constraint "events_user_id_fkey"
    WITH k(c1) AS MATERIALIZED (SELECT "user_id" FROM "app"."events" AS c WHERE "user_id" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "public"."users" AS p WHERE p."id" OPERATOR(pg_catalog.=) c."user_id")) SELECT pg_catalog.concat('Key (user_id)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ') is not present in table "users".') FROM k LIMIT 1
  undo: ALTER TABLE "app"."events" DROP CONSTRAINT IF EXISTS "events_user_id_fkey"
  in place: ALTER TABLE events ADD CONSTRAINT "events_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users NOT VALID
    on app.events and public.users, lock budget
  after commit: ALTER TABLE "app"."events" VALIDATE CONSTRAINT "events_user_id_fkey"
    on app.events [2=user_id] and public.users [1=id]

# Two sizes of a type are compared; two types are left to the server.
setup
CREATE TABLE small (s smallint, v varchar(10)); INSERT INTO small VALUES (1, 'x'); CREATE TABLE texts (t text PRIMARY KEY); INSERT INTO texts VALUES ('x')
----

plan
ALTER TABLE small ADD FOREIGN KEY (s) REFERENCES users, ADD FOREIGN KEY (v) REFERENCES texts
----
ALTER TABLE: adding "small_s_fkey", "small_v_fkey" to "small" NOT VALID, validating afterwards
  check 23503 insert or update on table "small" violates foreign key constraint "small_s_fkey"
    WITH k(c1) AS MATERIALIZED (SELECT "s" FROM ONLY "app"."small" AS c WHERE "s" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "public"."users" AS p WHERE p."id" OPERATOR(pg_catalog.=) c."s")) SELECT pg_catalog.concat('Key (s)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ') is not present in table "users".') FROM k LIMIT 1
  check 23503 insert or update on table "small" violates foreign key constraint "small_v_fkey"
    WITH k(c1) AS MATERIALIZED (SELECT "v" FROM ONLY "app"."small" WHERE "v" IS NOT NULL EXCEPT SELECT "t" FROM ONLY "app"."texts") SELECT pg_catalog.concat('Key (v)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ') is not present in table "texts".') FROM k LIMIT 1
  undo: ALTER TABLE "app"."small" DROP CONSTRAINT IF EXISTS "small_s_fkey", DROP CONSTRAINT IF EXISTS "small_v_fkey"
  in place: ALTER TABLE small ADD CONSTRAINT "small_s_fkey" FOREIGN KEY (s) REFERENCES users NOT VALID, ADD CONSTRAINT "small_v_fkey" FOREIGN KEY (v) REFERENCES texts NOT VALID
    on app.small and public.users and app.texts, lock budget
  after commit: ALTER TABLE "app"."small" VALIDATE CONSTRAINT "small_s_fkey"
    on app.small [1=s] and public.users [1=id]
  after commit: ALTER TABLE "app"."small" VALIDATE CONSTRAINT "small_v_fkey"
    on app.small [2=v] and app.texts [1=t]

unplanned
ALTER TABLE small ADD FOREIGN KEY (s) REFERENCES texts
----
ALTER TABLE: adding "small_s_fkey1" to "small" NOT VALID, validating afterwards
  undo: ALTER TABLE "app"."small" DROP CONSTRAINT IF EXISTS "small_s_fkey1"
  in place: ALTER TABLE small ADD CONSTRAINT "small_s_fkey1" FOREIGN KEY (s) REFERENCES texts NOT VALID
    on app.small and app.texts, lock budget
  after commit: ALTER TABLE "app"."small" VALIDATE CONSTRAINT "small_s_fkey1"
    on app.small [1=s] and app.texts [1=t]

# A type whose equality is not that of its text.
setup
CREATE TABLE numbers (n numeric PRIMARY KEY); INSERT INTO numbers VALUES (1.0); CREATE TABLE uses (n numeric, i int); INSERT INTO uses VALUES (1.000, 1)
----

plan
ALTER TABLE uses ADD FOREIGN KEY (n) REFERENCES numbers, ADD FOREIGN KEY (i) REFERENCES users
----
ALTER TABLE: adding "uses_n_fkey", "uses_i_fkey" to "uses" NOT VALID, validating afterwards
  check 23503 insert or update on table "uses" violates foreign key constraint "uses_n_fkey"
    WITH k(c1) AS MATERIALIZED (SELECT "n" FROM ONLY "app"."uses" AS c WHERE "n" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "app"."numbers" AS p WHERE p."n" OPERATOR(pg_catalog.=) c."n")) SELECT pg_catalog.concat('Key (n)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ') is not present in table "numbers".') FROM k LIMIT 1
  check 23503 insert or update on table "uses" violates foreign key constraint "uses_i_fkey"
    WITH k(c1) AS MATERIALIZED (SELECT "i" FROM ONLY "app"."uses" AS c WHERE "i" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "public"."users" AS p WHERE p."id" OPERATOR(pg_catalog.=) c."i")) SELECT pg_catalog.concat('Key (i)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ') is not present in table "users".') FROM k LIMIT 1
  undo: ALTER TABLE "app"."uses" DROP CONSTRAINT IF EXISTS "uses_n_fkey", DROP CONSTRAINT IF EXISTS "uses_i_fkey"
  in place: ALTER TABLE uses ADD CONSTRAINT "uses_n_fkey" FOREIGN KEY (n) REFERENCES numbers NOT VALID, ADD CONSTRAINT "uses_i_fkey" FOREIGN KEY (i) REFERENCES users NOT VALID
    on app.uses and app.numbers and public.users, lock budget
  after commit: ALTER TABLE "app"."uses" VALIDATE CONSTRAINT "uses_n_fkey"
    on app.uses [1=n] and app.numbers [1=n]
  after commit: ALTER TABLE "app"."uses" VALIDATE CONSTRAINT "uses_i_fkey"
    on app.uses [2=i] and public.users [1=id]

# Rows that break it are found before anything is promised.
setup
INSERT INTO orders (id, amount) VALUES (99, 5); CREATE TABLE halves (a int, b int); INSERT INTO halves VALUES (1, NULL), (NULL, NULL)
----

refused
ALTER TABLE orders ADD CONSTRAINT orphaned FOREIGN KEY (id) REFERENCES users
----
23503 insert or update on table "orders" violates foreign key constraint "orphaned"
Key (id)=(99) is not present in table "users".

refused
ALTER TABLE orders ADD CONSTRAINT broken CHECK (id < 50)
----
23514 check constraint "broken" of relation "orders" is violated by some row
Rows that exist violate it.

refused
ALTER TABLE halves ADD CONSTRAINT mixed FOREIGN KEY (a, b) REFERENCES users (a, b) MATCH FULL
----
23503 insert or update on table "halves" violates foreign key constraint "mixed"
MATCH FULL does not allow mixing of null and nonnull key values.

plan
ALTER TABLE halves ADD CONSTRAINT simple FOREIGN KEY (a, b) REFERENCES users (a, b)
----
ALTER TABLE: adding "simple" to "halves" NOT VALID, validating afterwards
  check 23503 insert or update on table "halves" violates foreign key constraint "simple"
    WITH k(c1, c2) AS MATERIALIZED (SELECT "a", "b" FROM ONLY "app"."halves" AS c WHERE "a" IS NOT NULL AND "b" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "public"."users" AS p WHERE p."a" OPERATOR(pg_catalog.=) c."a" AND p."b" OPERATOR(pg_catalog.=) c."b")) SELECT pg_catalog.concat('Key (a, b)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ', ', COALESCE((c2
    )::pg_catalog.text, 'null'), ') is not present in table "users".') FROM k LIMIT 1
  undo: ALTER TABLE "app"."halves" DROP CONSTRAINT IF EXISTS "simple"
  in place: ALTER TABLE halves ADD CONSTRAINT simple FOREIGN KEY (a, b) REFERENCES users (a, b) NOT VALID
    on app.halves and public.users, lock budget
  after commit: ALTER TABLE "app"."halves" VALIDATE CONSTRAINT "simple"
    on app.halves [1=a 2=b] and public.users [2=a 3=b]
