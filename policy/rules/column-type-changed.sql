setup
CREATE TABLE orders (id int PRIMARY KEY, code varchar(20) NOT NULL DEFAULT 'x', amount numeric(10, 2), note text, at timestamp, CONSTRAINT orders_amount CHECK (amount > 0));
INSERT INTO orders SELECT g, g, g, g, now() FROM generate_series(1, 100) g;
CREATE INDEX orders_code ON orders (code); CREATE INDEX orders_lower ON orders (lower(note)) WHERE note > ''; CREATE INDEX orders_at ON orders (at);
ANALYZE orders
----

# The rows are written anew, nobody can use the table.
check
ALTER TABLE orders ALTER COLUMN id TYPE bigint
----
block
  changing "id" from integer to bigint rewrites "orders" with all its indexes and blocks reads and writes until that is done; add a new column, fill it and swap the two
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: ALTER TABLE orders ADD COLUMN id_new bigint;
    CREATE FUNCTION orders_id_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT id::bigint INTO NEW.id_new FROM (SELECT NEW.*) AS orders; RETURN NEW; END $$;
    CREATE TRIGGER orders_id_new BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_id_new();
    UPDATE orders SET id_new = id::bigint WHERE id_new IS NULL AND id IS NOT NULL; -- in batches
    CREATE UNIQUE INDEX CONCURRENTLY orders_pkey_new ON orders (id_new);
    ALTER TABLE orders ADD CONSTRAINT orders_id_new_not_null CHECK (id_new IS NOT NULL) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_id_new_not_null;
    BEGIN;
    DROP TRIGGER orders_id_new ON orders;
    DROP FUNCTION orders_id_new();
    ALTER TABLE orders ALTER COLUMN id_new SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_id_new_not_null;
    ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_pkey_new;
    ALTER TABLE orders ALTER COLUMN id DROP NOT NULL;
    ALTER TABLE orders RENAME COLUMN id TO id_old;
    ALTER TABLE orders RENAME COLUMN id_new TO id;
    COMMIT;
    ALTER TABLE orders DROP COLUMN id_old;

# A longer varchar is the same bytes.
check
ALTER TABLE orders ALTER COLUMN code TYPE varchar(40)
----
pass

locks
ALTER TABLE orders ALTER COLUMN code TYPE varchar(40)
----
(uncommitted) AccessExclusiveLock
(uncommitted) AccessShareLock
orders AccessExclusiveLock
orders ShareLock
orders_code AccessExclusiveLock

check
ALTER TABLE orders ALTER code SET DATA TYPE "text" USING "code"::text
----
pass

check
ALTER TABLE orders ALTER COLUMN code TYPE varchar(10)
----
block
  changing "code" from character varying(20) to varchar(10) rewrites "orders" with all its indexes and blocks reads and writes until that is done; add a new column, fill it and swap the two
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: ALTER TABLE orders ADD COLUMN code_new varchar(10);
    CREATE FUNCTION orders_code_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT code::varchar(10) INTO NEW.code_new FROM (SELECT NEW.*) AS orders; RETURN NEW; END $$;
    CREATE TRIGGER orders_code_new BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_code_new();
    UPDATE orders SET code_new = code::varchar(10) WHERE code_new IS NULL AND code IS NOT NULL; -- in batches
    CREATE INDEX CONCURRENTLY orders_code_new ON orders (code_new);
    ALTER TABLE orders ADD CONSTRAINT orders_code_new_not_null CHECK (code_new IS NOT NULL) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_code_new_not_null;
    BEGIN;
    DROP TRIGGER orders_code_new ON orders;
    DROP FUNCTION orders_code_new();
    ALTER TABLE orders ALTER COLUMN code_new SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_code_new_not_null;
    ALTER TABLE orders ALTER COLUMN code DROP NOT NULL;
    ALTER TABLE orders ALTER COLUMN code_new SET DEFAULT ('x'::character varying)::varchar(10);
    ALTER TABLE orders RENAME COLUMN code TO code_old;
    ALTER TABLE orders RENAME COLUMN code_new TO code;
    COMMIT;
    ALTER TABLE orders DROP COLUMN code_old;
    ALTER INDEX public.orders_code_new RENAME TO orders_code;

# An index with an expression is built again, though the rows stay.
check
ALTER TABLE orders ALTER COLUMN note TYPE varchar
----
block
  changing "note" to varchar rebuilds index "orders_lower" and blocks reads and writes of "orders" until that is done; drop it concurrently first, and build it again afterwards
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: DROP INDEX CONCURRENTLY public.orders_lower;
    ALTER TABLE orders ALTER COLUMN note TYPE varchar;
    CREATE INDEX CONCURRENTLY orders_lower ON public.orders USING btree (lower(note)) WHERE (note > ''::text);

# A check reads every row again.
check
ALTER TABLE orders ALTER COLUMN amount TYPE numeric(12, 2), ADD COLUMN more int
----
block
  changing "amount" to numeric(12, 2) holds every row against check "orders_amount" again and blocks reads and writes of "orders" until that is done; drop it in the same statement and add it again NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: ALTER TABLE orders DROP CONSTRAINT orders_amount, ALTER COLUMN amount TYPE numeric(12, 2), ADD COLUMN more int, ADD CONSTRAINT orders_amount CHECK ((amount > (0)::numeric)) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_amount;

# The type is the same: the server would check and build all the same, and there is nothing to do.
check
ALTER TABLE orders ALTER COLUMN amount TYPE numeric(10, 2) USING amount::decimal(10, 2)
----
rewrite
  "amount" has the type numeric(10, 2) already, and the server would build indexes or hold every row of "orders" against its checks again while nobody can use it; leave it out
  detail: Table public.orders has about 100 rows, 16 kB.

check
ALTER TABLE orders ALTER COLUMN note TYPE text
----
rewrite
  "note" has the type text already, and the server would build indexes or hold every row of "orders" against its checks again while nobody can use it; leave it out
  detail: Table public.orders has about 100 rows, 16 kB.

check
ALTER TABLE orders ALTER COLUMN note TYPE text COLLATE "C"
----
block
  changing "note" to text rebuilds index "orders_lower" and blocks reads and writes of "orders" until that is done; drop it concurrently first, and build it again afterwards
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: DROP INDEX CONCURRENTLY public.orders_lower;
    ALTER TABLE orders ALTER COLUMN note TYPE text COLLATE "C";
    CREATE INDEX CONCURRENTLY orders_lower ON public.orders USING btree (lower(note)) WHERE (note > ''::text);

setup
SET TimeZone = 'Europe/London'
----

check
ALTER TABLE orders ALTER COLUMN at TYPE timestamptz
----
block
  changing "at" from timestamp without time zone to timestamptz rewrites "orders" with all its indexes and blocks reads and writes until that is done; add a new column, fill it and swap the two
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: If its times are those of UTC: SET LOCAL timezone = 'UTC' in the same transaction, and no row is rewritten. Otherwise:
    ALTER TABLE orders ADD COLUMN at_new timestamptz;
    CREATE FUNCTION orders_at_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT at::timestamptz INTO NEW.at_new FROM (SELECT NEW.*) AS orders; RETURN NEW; END $$;
    CREATE TRIGGER orders_at_new BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_at_new();
    UPDATE orders SET at_new = at::timestamptz WHERE at_new IS NULL AND at IS NOT NULL; -- in batches
    CREATE INDEX CONCURRENTLY orders_at_new ON orders (at_new);
    BEGIN;
    DROP TRIGGER orders_at_new ON orders;
    DROP FUNCTION orders_at_new();
    ALTER TABLE orders RENAME COLUMN at TO at_old;
    ALTER TABLE orders RENAME COLUMN at_new TO at;
    COMMIT;
    ALTER TABLE orders DROP COLUMN at_old;
    ALTER INDEX public.orders_at_new RENAME TO orders_at;

setup
SET TimeZone = 'UTC'; DROP INDEX orders_at
----

check
ALTER TABLE orders ALTER COLUMN at TYPE timestamptz
----
pass

check
ALTER TABLE orders ALTER COLUMN at TYPE timestamptz USING at AT TIME ZONE 'UTC'
----
block
  changing "at" from timestamp without time zone to timestamptz rewrites "orders" with all its indexes and blocks reads and writes until that is done; add a new column, fill it and swap the two
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: ALTER TABLE orders ADD COLUMN at_new timestamptz;
    CREATE FUNCTION orders_at_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT (at AT TIME ZONE 'UTC')::timestamptz INTO NEW.at_new FROM (SELECT NEW.*) AS orders; RETURN NEW; END $$;
    CREATE TRIGGER orders_at_new BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_at_new();
    UPDATE orders SET at_new = (at AT TIME ZONE 'UTC')::timestamptz WHERE at_new IS NULL AND at IS NOT NULL; -- in batches
    BEGIN;
    DROP TRIGGER orders_at_new ON orders;
    DROP FUNCTION orders_at_new();
    ALTER TABLE orders RENAME COLUMN at TO at_old;
    ALTER TABLE orders RENAME COLUMN at_new TO at;
    COMMIT;
    ALTER TABLE orders DROP COLUMN at_old;

# Everything that forbids it, at once.
setup
CREATE VIEW notes AS SELECT note FROM orders; CREATE VIEW loud AS SELECT upper(note) AS note FROM orders;
CREATE POLICY mine ON orders USING (note = current_user)
----

check
ALTER TABLE orders ALTER COLUMN note TYPE varchar(10)
----
block
  the type of "note" cannot change while policy "mine" of public.orders uses it, view public.loud uses it, view public.notes uses it; drop what uses it and make it again afterwards, in one transaction
  hint: SELECT pg_get_viewdef('public.loud'::regclass, true);
    SELECT pg_get_viewdef('public.notes'::regclass, true);
    That is what to make again; grants, comments and indexes of it, too.

setup
DROP VIEW notes, loud; DROP POLICY mine ON orders
----

# The table is light, the one that references it is not.
setup
CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (parent_id int REFERENCES parent); CREATE TABLE lone (id int PRIMARY KEY)
----

check
ALTER TABLE lone ALTER id TYPE bigint
----
pass

check
ALTER TABLE parent ALTER id TYPE bigint
----
pass

setup
INSERT INTO child VALUES (NULL)
----

check
ALTER TABLE parent ALTER id TYPE bigint
----
block
  changing "id" to bigint holds every row of "child" against foreign key "child_parent_id_fkey" again and blocks its reads and writes until that is done; drop the foreign key first and add it again NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.child has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: ALTER TABLE public.child DROP CONSTRAINT child_parent_id_fkey;
    ALTER TABLE parent ALTER id TYPE bigint;
    ALTER TABLE public.child ADD CONSTRAINT child_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES parent(id) NOT VALID;
    ALTER TABLE public.child VALIDATE CONSTRAINT child_parent_id_fkey;

setup
INSERT INTO parent VALUES (1)
----

check
ALTER TABLE parent ALTER id TYPE bigint
----
block
  changing "id" from integer to bigint rewrites "parent" with all its indexes and blocks reads and writes until that is done; add a new column, fill it and swap the two
  detail: Table public.parent has an unknown number of rows (it was never analyzed), 8192 bytes. Table public.child is locked, too, and held against foreign key "child_parent_id_fkey" again.
  hint: ALTER TABLE parent ADD COLUMN id_new bigint;
    CREATE FUNCTION parent_id_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT id::bigint INTO NEW.id_new FROM (SELECT NEW.*) AS parent; RETURN NEW; END $$;
    CREATE TRIGGER parent_id_new BEFORE INSERT OR UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION parent_id_new();
    UPDATE parent SET id_new = id::bigint WHERE id_new IS NULL AND id IS NOT NULL; -- in batches
    CREATE UNIQUE INDEX CONCURRENTLY parent_pkey_new ON parent (id_new);
    ALTER TABLE parent ADD CONSTRAINT parent_id_new_not_null CHECK (id_new IS NOT NULL) NOT VALID;
    ALTER TABLE parent VALIDATE CONSTRAINT parent_id_new_not_null;
    -- Foreign key child_parent_id_fkey of public.child references id: drop it in the swap, and add it again NOT VALID.
    BEGIN;
    DROP TRIGGER parent_id_new ON parent;
    DROP FUNCTION parent_id_new();
    ALTER TABLE parent ALTER COLUMN id_new SET NOT NULL;
    ALTER TABLE parent DROP CONSTRAINT parent_id_new_not_null;
    ALTER TABLE parent DROP CONSTRAINT parent_pkey, ADD CONSTRAINT parent_pkey PRIMARY KEY USING INDEX parent_pkey_new;
    ALTER TABLE parent ALTER COLUMN id DROP NOT NULL;
    ALTER TABLE parent RENAME COLUMN id TO id_old;
    ALTER TABLE parent RENAME COLUMN id_new TO id;
    COMMIT;
    ALTER TABLE parent DROP COLUMN id_old;

check small
ALTER TABLE parent ALTER id TYPE bigint
----
pass

locks
ALTER TABLE parent ALTER id TYPE bigint
----
(uncommitted) AccessExclusiveLock
child AccessExclusiveLock
child AccessShareLock
child ShareRowExclusiveLock
parent AccessExclusiveLock
parent AccessShareLock
parent RowShareLock
parent ShareLock
parent ShareRowExclusiveLock
parent_pkey AccessExclusiveLock
parent_pkey AccessShareLock

begin
CREATE TABLE fresh AS SELECT 1 AS id
----

check
ALTER TABLE fresh ALTER id TYPE bigint
----
pass

rollback
----

# A child has an index of its own.
setup
CREATE TABLE base (a varchar(5)); CREATE TABLE derived () INHERITS (base); CREATE INDEX derived_a ON derived (a) WHERE a <> ''; INSERT INTO derived VALUES ('x')
----

check
ALTER TABLE base ALTER a TYPE varchar(7)
----
block
  changing "a" to varchar(7) rebuilds index "derived_a" and blocks reads and writes of "base" until that is done; add a new column, fill it and swap the two
  detail: Table public.base has an unknown number of rows (it was never analyzed), its children's included, 8192 bytes.
  hint: ALTER TABLE base ADD COLUMN a_new varchar(7);
    CREATE FUNCTION base_a_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT a::varchar(7) INTO NEW.a_new FROM (SELECT NEW.*) AS base; RETURN NEW; END $$;
    CREATE TRIGGER base_a_new BEFORE INSERT OR UPDATE ON base FOR EACH ROW EXECUTE FUNCTION base_a_new();
    UPDATE base SET a_new = a::varchar(7) WHERE a_new IS NULL AND a IS NOT NULL; -- in batches
    BEGIN;
    DROP TRIGGER base_a_new ON base;
    DROP FUNCTION base_a_new();
    ALTER TABLE base RENAME COLUMN a TO a_old;
    ALTER TABLE base RENAME COLUMN a_new TO a;
    COMMIT;
    ALTER TABLE base DROP COLUMN a_old;

# There is no way from one to the other: the server says so.
check
ALTER TABLE orders ALTER COLUMN note TYPE int
----
pass

check
ALTER TABLE orders ALTER COLUMN note TYPE int USING note::int
----
block
  changing "note" from text to int rewrites "orders" with all its indexes and blocks reads and writes until that is done; add a new column, fill it and swap the two
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: ALTER TABLE orders ADD COLUMN note_new int;
    CREATE FUNCTION orders_note_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT (note::int)::int INTO NEW.note_new FROM (SELECT NEW.*) AS orders; RETURN NEW; END $$;
    CREATE TRIGGER orders_note_new BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_note_new();
    UPDATE orders SET note_new = (note::int)::int WHERE note_new IS NULL AND note IS NOT NULL; -- in batches
    -- The same for index orders_lower, on note_new: CREATE INDEX orders_lower ON public.orders USING btree (lower(note)) WHERE (note > ''::text)
    BEGIN;
    DROP TRIGGER orders_note_new ON orders;
    DROP FUNCTION orders_note_new();
    ALTER TABLE orders RENAME COLUMN note TO note_old;
    ALTER TABLE orders RENAME COLUMN note_new TO note;
    COMMIT;
    ALTER TABLE orders DROP COLUMN note_old;

check
ALTER TABLE orders ALTER COLUMN missing TYPE int
----
pass

check unknown
ALTER TABLE orders ALTER COLUMN id TYPE bigint
----
block
  changing the type of "id" may rewrite "orders" and block its readers and writers until that is done; add a new column, fill it and swap the two
  hint: ALTER TABLE orders ADD COLUMN id_new bigint;
    CREATE FUNCTION orders_id_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT id::bigint INTO NEW.id_new FROM (SELECT NEW.*) AS orders; RETURN NEW; END $$;
    CREATE TRIGGER orders_id_new BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_id_new();
    UPDATE orders SET id_new = id::bigint WHERE id_new IS NULL AND id IS NOT NULL; -- in batches
    BEGIN;
    DROP TRIGGER orders_id_new ON orders;
    DROP FUNCTION orders_id_new();
    ALTER TABLE orders RENAME COLUMN id TO id_old;
    ALTER TABLE orders RENAME COLUMN id_new TO id;
    COMMIT;
    ALTER TABLE orders DROP COLUMN id_old;
  unknown: the type that "id" has, its indexes and checks, and the size of table "orders"

check
/* pgsluice:allow column-type-changed reason="nobody uses it yet" */ ALTER TABLE orders ALTER COLUMN id TYPE bigint
----
block
  changing "id" from integer to bigint rewrites "orders" with all its indexes and blocks reads and writes until that is done; add a new column, fill it and swap the two (the override in the comment does not count: login "postgres" is not in overrides.roles)
  detail: Table public.orders has about 100 rows, 16 kB.
  hint: ALTER TABLE orders ADD COLUMN id_new bigint;
    CREATE FUNCTION orders_id_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT id::bigint INTO NEW.id_new FROM (SELECT NEW.*) AS orders; RETURN NEW; END $$;
    CREATE TRIGGER orders_id_new BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_id_new();
    UPDATE orders SET id_new = id::bigint WHERE id_new IS NULL AND id IS NOT NULL; -- in batches
    CREATE UNIQUE INDEX CONCURRENTLY orders_pkey_new ON orders (id_new);
    ALTER TABLE orders ADD CONSTRAINT orders_id_new_not_null CHECK (id_new IS NOT NULL) NOT VALID;
    ALTER TABLE orders VALIDATE CONSTRAINT orders_id_new_not_null;
    BEGIN;
    DROP TRIGGER orders_id_new ON orders;
    DROP FUNCTION orders_id_new();
    ALTER TABLE orders ALTER COLUMN id_new SET NOT NULL;
    ALTER TABLE orders DROP CONSTRAINT orders_id_new_not_null;
    ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_pkey_new;
    ALTER TABLE orders ALTER COLUMN id DROP NOT NULL;
    ALTER TABLE orders RENAME COLUMN id TO id_old;
    ALTER TABLE orders RENAME COLUMN id_new TO id;
    COMMIT;
    ALTER TABLE orders DROP COLUMN id_old;

check role
/* pgsluice:allow column-type-changed reason="nobody uses it yet" */ ALTER TABLE orders ALTER COLUMN id TYPE bigint
----
pass
  overridden: changing "id" from integer to bigint rewrites "orders" with all its indexes and blocks reads and writes until that is done; add a new column, fill it and swap the two

# What else the statement does stays.
check unknown
ALTER TABLE orders ADD COLUMN more text, ALTER COLUMN note TYPE int USING note::int
----
block
  changing the type of "note" may rewrite "orders" and block its readers and writers until that is done; add a new column, fill it and swap the two
  hint: ALTER TABLE orders ADD COLUMN more text;
    ALTER TABLE orders ADD COLUMN note_new int;
    CREATE FUNCTION orders_note_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT (note::int)::int INTO NEW.note_new FROM (SELECT NEW.*) AS orders; RETURN NEW; END $$;
    CREATE TRIGGER orders_note_new BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_note_new();
    UPDATE orders SET note_new = (note::int)::int WHERE note_new IS NULL AND note IS NOT NULL; -- in batches
    BEGIN;
    DROP TRIGGER orders_note_new ON orders;
    DROP FUNCTION orders_note_new();
    ALTER TABLE orders RENAME COLUMN note TO note_old;
    ALTER TABLE orders RENAME COLUMN note_new TO note;
    COMMIT;
    ALTER TABLE orders DROP COLUMN note_old;
  unknown: the type that "note" has, its indexes and checks, and the size of table "orders"

# The tables OF a composite type are rewritten with it. Without CASCADE the server refuses that.
setup
CREATE TYPE "Pair" AS (a int, b int); CREATE TABLE pairs OF "Pair"; INSERT INTO pairs VALUES (1, 2)
----

check
ALTER TYPE "Pair" ADD ATTRIBUTE c int, ALTER ATTRIBUTE a SET DATA TYPE bigint CASCADE
----
block
  table public.pairs OF type "Pair": changing "a" from integer to bigint rewrites "pairs" with all its indexes and blocks reads and writes until that is done; add a new column, fill it and swap the two
  detail: Table public.pairs has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: ALTER TABLE public.pairs NOT OF;
    ALTER TABLE "public"."pairs" ADD COLUMN a_new bigint;
    CREATE FUNCTION public.pairs_a_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT a::bigint INTO NEW.a_new FROM (SELECT NEW.*) AS pairs; RETURN NEW; END $$;
    CREATE TRIGGER pairs_a_new BEFORE INSERT OR UPDATE ON "public"."pairs" FOR EACH ROW EXECUTE FUNCTION public.pairs_a_new();
    UPDATE "public"."pairs" SET a_new = a::bigint WHERE a_new IS NULL AND a IS NOT NULL; -- in batches
    BEGIN;
    DROP TRIGGER pairs_a_new ON "public"."pairs";
    DROP FUNCTION public.pairs_a_new();
    ALTER TABLE "public"."pairs" RENAME COLUMN a TO a_old;
    ALTER TABLE "public"."pairs" RENAME COLUMN a_new TO a;
    COMMIT;
    ALTER TABLE "public"."pairs" DROP COLUMN a_old;

check
ALTER TYPE "Pair" ALTER ATTRIBUTE a TYPE bigint
----
pass

check unknown
ALTER TYPE "Pair" ALTER ATTRIBUTE a TYPE bigint CASCADE
----
block
  changing attribute "a" of type "Pair" with CASCADE may rewrite every table OF it and block its readers and writers until that is done; take the tables off the type with ALTER TABLE ... NOT OF, and change them one by one
  hint: SELECT oid::regclass FROM pg_class WHERE reloftype = '"Pair"'::regtype;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow column-type-changed reason="..." */ ALTER TYPE "Pair" ALTER ATTRIBUTE a TYPE bigint CASCADE;
  unknown: which tables there are OF type "Pair", and their sizes

begin
CREATE TYPE fresh AS (a int); CREATE TABLE freshly OF fresh
----

check
ALTER TYPE fresh ALTER ATTRIBUTE a TYPE bigint CASCADE
----
pass

rollback
----

locks
ALTER TYPE "Pair" ALTER ATTRIBUTE a TYPE bigint CASCADE
----
(uncommitted) AccessExclusiveLock
Pair AccessExclusiveLock
pairs AccessExclusiveLock
pairs ShareLock

# What is made again says all that it said.
setup
CREATE TABLE owners (id int PRIMARY KEY, code varchar(20) UNIQUE); CREATE TABLE pets (owner int REFERENCES owners ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED); INSERT INTO pets VALUES (NULL);
CREATE TABLE tight (id int PRIMARY KEY, word varchar(20) COLLATE "C", n int); INSERT INTO tight VALUES (1, 'x', 1); ANALYZE tight;
CREATE UNIQUE INDEX tight_n ON tight (n) WITH (fillfactor = 70); ALTER TABLE tight ADD CONSTRAINT tight_word CHECK (word > '') NO INHERIT NOT VALID
----

check
ALTER TABLE owners ALTER id TYPE bigint
----
block
  changing "id" to bigint holds every row of "pets" against foreign key "pets_owner_fkey" again and blocks its reads and writes until that is done; drop the foreign key first and add it again NOT VALID, then VALIDATE CONSTRAINT
  detail: Table public.pets has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: ALTER TABLE public.pets DROP CONSTRAINT pets_owner_fkey;
    ALTER TABLE owners ALTER id TYPE bigint;
    ALTER TABLE public.pets ADD CONSTRAINT pets_owner_fkey FOREIGN KEY (owner) REFERENCES owners(id) ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED NOT VALID;
    ALTER TABLE public.pets VALIDATE CONSTRAINT pets_owner_fkey;

check
ALTER TABLE tight ALTER word TYPE varchar(40) COLLATE "C"
----
pass

check
ALTER TABLE tight ALTER n TYPE bigint
----
block
  changing "n" from integer to bigint rewrites "tight" with all its indexes and blocks reads and writes until that is done; add a new column, fill it and swap the two
  detail: Table public.tight has about 1 rows, 8192 bytes.
  hint: ALTER TABLE tight ADD COLUMN n_new bigint;
    CREATE FUNCTION tight_n_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT n::bigint INTO NEW.n_new FROM (SELECT NEW.*) AS tight; RETURN NEW; END $$;
    CREATE TRIGGER tight_n_new BEFORE INSERT OR UPDATE ON tight FOR EACH ROW EXECUTE FUNCTION tight_n_new();
    UPDATE tight SET n_new = n::bigint WHERE n_new IS NULL AND n IS NOT NULL; -- in batches
    CREATE UNIQUE INDEX CONCURRENTLY tight_n_new ON tight (n_new) WITH (fillfactor='70');
    BEGIN;
    DROP TRIGGER tight_n_new ON tight;
    DROP FUNCTION tight_n_new();
    ALTER TABLE tight RENAME COLUMN n TO n_old;
    ALTER TABLE tight RENAME COLUMN n_new TO n;
    COMMIT;
    ALTER TABLE tight DROP COLUMN n_old;
    ALTER INDEX public.tight_n_new RENAME TO tight_n;

setup major=15
CREATE UNIQUE INDEX tight_id_n ON tight (n, id) NULLS NOT DISTINCT WITH (fillfactor = 80)
----

check major=15
ALTER TABLE tight ALTER n TYPE bigint
----
block
  changing "n" from integer to bigint rewrites "tight" with all its indexes and blocks reads and writes until that is done; add a new column, fill it and swap the two
  detail: Table public.tight has about 1 rows, 8192 bytes.
  hint: ALTER TABLE tight ADD COLUMN n_new bigint;
    CREATE FUNCTION tight_n_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT n::bigint INTO NEW.n_new FROM (SELECT NEW.*) AS tight; RETURN NEW; END $$;
    CREATE TRIGGER tight_n_new BEFORE INSERT OR UPDATE ON tight FOR EACH ROW EXECUTE FUNCTION tight_n_new();
    UPDATE tight SET n_new = n::bigint WHERE n_new IS NULL AND n IS NOT NULL; -- in batches
    CREATE UNIQUE INDEX CONCURRENTLY tight_id_n_new ON tight (n_new, id) NULLS NOT DISTINCT WITH (fillfactor='80');
    CREATE UNIQUE INDEX CONCURRENTLY tight_n_new ON tight (n_new) WITH (fillfactor='70');
    BEGIN;
    DROP TRIGGER tight_n_new ON tight;
    DROP FUNCTION tight_n_new();
    ALTER TABLE tight RENAME COLUMN n TO n_old;
    ALTER TABLE tight RENAME COLUMN n_new TO n;
    COMMIT;
    ALTER TABLE tight DROP COLUMN n_old;
    ALTER INDEX public.tight_id_n_new RENAME TO tight_id_n;
    ALTER INDEX public.tight_n_new RENAME TO tight_n;

# What the tables OF a composite type suffer is looked up.
setup
CREATE TYPE unused AS (a int); CREATE TABLE within (pair unused); CREATE TYPE wide AS (a int, b varchar(10), c text); CREATE TABLE wides OF wide (PRIMARY KEY (a)); INSERT INTO wides VALUES (1, 'b', 'c'); CREATE TABLE "Other wides" OF wide;
ANALYZE wides
----

check
ALTER TYPE unused ALTER ATTRIBUTE a TYPE bigint CASCADE
----
pass

check
ALTER TYPE public.wide ALTER ATTRIBUTE b TYPE varchar(20) CASCADE, ALTER ATTRIBUTE c TYPE varchar CASCADE
----
pass

check
ALTER TYPE wide ALTER ATTRIBUTE a SET DATA TYPE bigint /* wider */ CASCADE
----
block
  table public.wides OF type wide: changing "a" from integer to bigint rewrites "wides" with all its indexes and blocks reads and writes until that is done; add a new column, fill it and swap the two
  detail: Table public.wides has about 1 rows, 16 kB.
  hint: ALTER TABLE public.wides NOT OF;
    ALTER TABLE "public"."wides" ADD COLUMN a_new bigint;
    CREATE FUNCTION public.wides_a_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT a::bigint INTO NEW.a_new FROM (SELECT NEW.*) AS wides; RETURN NEW; END $$;
    CREATE TRIGGER wides_a_new BEFORE INSERT OR UPDATE ON "public"."wides" FOR EACH ROW EXECUTE FUNCTION public.wides_a_new();
    UPDATE "public"."wides" SET a_new = a::bigint WHERE a_new IS NULL AND a IS NOT NULL; -- in batches
    CREATE UNIQUE INDEX CONCURRENTLY wides_pkey_new ON "public"."wides" (a_new);
    ALTER TABLE "public"."wides" ADD CONSTRAINT wides_a_new_not_null CHECK (a_new IS NOT NULL) NOT VALID;
    ALTER TABLE "public"."wides" VALIDATE CONSTRAINT wides_a_new_not_null;
    BEGIN;
    DROP TRIGGER wides_a_new ON "public"."wides";
    DROP FUNCTION public.wides_a_new();
    ALTER TABLE "public"."wides" ALTER COLUMN a_new SET NOT NULL;
    ALTER TABLE "public"."wides" DROP CONSTRAINT wides_a_new_not_null;
    ALTER TABLE "public"."wides" DROP CONSTRAINT wides_pkey, ADD CONSTRAINT wides_pkey PRIMARY KEY USING INDEX wides_pkey_new;
    ALTER TABLE "public"."wides" ALTER COLUMN a DROP NOT NULL;
    ALTER TABLE "public"."wides" RENAME COLUMN a TO a_old;
    ALTER TABLE "public"."wides" RENAME COLUMN a_new TO a;
    COMMIT;
    ALTER TABLE "public"."wides" DROP COLUMN a_old;

check small
ALTER TYPE wide ALTER ATTRIBUTE a SET DATA TYPE bigint CASCADE
----
pass
