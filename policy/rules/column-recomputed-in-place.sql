setup
CREATE TABLE t (a int, doubled int GENERATED ALWAYS AS (a * 2) STORED); INSERT INTO t VALUES (1);
CREATE TABLE empty (a int, doubled int GENERATED ALWAYS AS (a * 2) STORED)
----

# Every row gets another value.
check
ALTER TABLE t ALTER COLUMN doubled SET EXPRESSION AS (a + a)
----
block
  a new expression for "doubled" rewrites "t" and blocks reads and writes until that is done; add a plain column, keep it by a trigger, fill it in batches and swap the two
  detail: Table public.t has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: ALTER TABLE t ADD COLUMN doubled_new integer;
    CREATE FUNCTION t_doubled_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT (a + a) INTO NEW.doubled_new FROM (SELECT NEW.*) AS t; RETURN NEW; END $$;
    CREATE TRIGGER t_doubled_new BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION t_doubled_new();
    UPDATE t SET doubled_new = (a + a) WHERE doubled_new IS NULL; -- in batches
    BEGIN;
    ALTER TABLE t RENAME COLUMN doubled TO doubled_old;
    ALTER TABLE t RENAME COLUMN doubled_new TO doubled;
    CREATE OR REPLACE FUNCTION t_doubled_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT (a + a) INTO NEW.doubled FROM (SELECT NEW.*) AS t; RETURN NEW; END $$;
    COMMIT;
    ALTER TABLE t DROP COLUMN doubled_old;

check
alter table public.t alter doubled set expression as ((a)/**/+ a), ADD COLUMN b int
----
block
  a new expression for "doubled" rewrites "t" and blocks reads and writes until that is done; add a plain column, keep it by a trigger, fill it in batches and swap the two
  detail: Table public.t has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: alter table public.t ADD COLUMN b int;
    ALTER TABLE public.t ADD COLUMN doubled_new integer;
    CREATE FUNCTION public.t_doubled_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT ((a)/**/+ a) INTO NEW.doubled_new FROM (SELECT NEW.*) AS t; RETURN NEW; END $$;
    CREATE TRIGGER t_doubled_new BEFORE INSERT OR UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.t_doubled_new();
    UPDATE public.t SET doubled_new = ((a)/**/+ a) WHERE doubled_new IS NULL; -- in batches
    BEGIN;
    ALTER TABLE public.t RENAME COLUMN doubled TO doubled_old;
    ALTER TABLE public.t RENAME COLUMN doubled_new TO doubled;
    CREATE OR REPLACE FUNCTION public.t_doubled_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT ((a)/**/+ a) INTO NEW.doubled FROM (SELECT NEW.*) AS t; RETURN NEW; END $$;
    COMMIT;
    ALTER TABLE public.t DROP COLUMN doubled_old;

check
DO $$ BEGIN ALTER TABLE t ALTER COLUMN doubled SET EXPRESSION AS (a + a); END $$
----
block
  line 1 of the DO block: a new expression for "doubled" rewrites "t" and blocks reads and writes until that is done; add a plain column, keep it by a trigger, fill it in batches and swap the two
  detail: Table public.t has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: ALTER TABLE t ADD COLUMN doubled_new integer;
    CREATE FUNCTION t_doubled_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT (a + a) INTO NEW.doubled_new FROM (SELECT NEW.*) AS t; RETURN NEW; END $$;
    CREATE TRIGGER t_doubled_new BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION t_doubled_new();
    UPDATE t SET doubled_new = (a + a) WHERE doubled_new IS NULL; -- in batches
    BEGIN;
    ALTER TABLE t RENAME COLUMN doubled TO doubled_old;
    ALTER TABLE t RENAME COLUMN doubled_new TO doubled;
    CREATE OR REPLACE FUNCTION t_doubled_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT (a + a) INTO NEW.doubled FROM (SELECT NEW.*) AS t; RETURN NEW; END $$;
    COMMIT;
    ALTER TABLE t DROP COLUMN doubled_old;

check unknown
ALTER TABLE t ALTER COLUMN doubled SET EXPRESSION AS (a + a)
----
block
  a new expression for "doubled" rewrites "t" and blocks reads and writes until that is done; add a plain column, keep it by a trigger, fill it in batches and swap the two
  hint: ALTER TABLE t ADD COLUMN doubled_new TYPE;
    CREATE FUNCTION t_doubled_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT (a + a) INTO NEW.doubled_new FROM (SELECT NEW.*) AS t; RETURN NEW; END $$;
    CREATE TRIGGER t_doubled_new BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION t_doubled_new();
    UPDATE t SET doubled_new = (a + a) WHERE doubled_new IS NULL; -- in batches
    BEGIN;
    ALTER TABLE t RENAME COLUMN doubled TO doubled_old;
    ALTER TABLE t RENAME COLUMN doubled_new TO doubled;
    CREATE OR REPLACE FUNCTION t_doubled_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT (a + a) INTO NEW.doubled FROM (SELECT NEW.*) AS t; RETURN NEW; END $$;
    COMMIT;
    ALTER TABLE t DROP COLUMN doubled_old;
  unknown: whether "doubled" is stored, and the size of table "t"

check
ALTER TABLE empty ALTER COLUMN doubled SET EXPRESSION AS (a + a)
----
pass

check small
ALTER TABLE t ALTER COLUMN doubled SET EXPRESSION AS (a + a)
----
pass

# The server refuses it for a plain column.
check
ALTER TABLE t ALTER COLUMN a SET EXPRESSION AS (1)
----
pass

check
ALTER TABLE t ALTER COLUMN doubled DROP EXPRESSION
----
pass

locks major=17
ALTER TABLE t ALTER COLUMN doubled SET EXPRESSION AS (a + a)
----
(uncommitted) AccessExclusiveLock
t AccessExclusiveLock
t ShareLock

locks
ALTER TABLE t ADD COLUMN doubled_new integer
----
t AccessExclusiveLock

setup major=18
CREATE TABLE v (a int, doubled int GENERATED ALWAYS AS (a * 2) VIRTUAL); INSERT INTO v VALUES (1)
----

check major=18
ALTER TABLE v ALTER COLUMN doubled SET EXPRESSION AS (a + a)
----
pass

# What the hint says to type, and what rows have then.
setup major=17
ALTER TABLE t ADD COLUMN doubled_new integer;
CREATE FUNCTION t_doubled_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT (a + a) INTO NEW.doubled_new FROM (SELECT NEW.*) AS t; RETURN NEW; END $$;
CREATE TRIGGER t_doubled_new BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION t_doubled_new();
UPDATE t SET doubled_new = (a + a) WHERE doubled_new IS NULL; -- in batches
BEGIN;
ALTER TABLE t RENAME COLUMN doubled TO doubled_old;
ALTER TABLE t RENAME COLUMN doubled_new TO doubled;
CREATE OR REPLACE FUNCTION t_doubled_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT (a + a) INTO NEW.doubled FROM (SELECT NEW.*) AS t; RETURN NEW; END $$;
COMMIT;
ALTER TABLE t DROP COLUMN doubled_old;
INSERT INTO t VALUES (21);
DO $$ BEGIN ASSERT (SELECT array_agg(doubled ORDER BY a) = '{2,42}' FROM t); END $$
----
