setup
CREATE SCHEMA app; SET search_path = app;
CREATE FUNCTION roll() RETURNS int VOLATILE LANGUAGE sql AS 'SELECT 4';
CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1), (4);
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT g, g FROM generate_series(1, 10) g
----

# A volatile default: the column, then its values.
plan
ALTER TABLE t ADD COLUMN v double precision DEFAULT random()
----
ALTER TABLE: adding "v" to "t" without values, filling its rows in batches
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "v"
  in place: ALTER TABLE t ADD COLUMN v double precision, ALTER COLUMN "v" SET DEFAULT random()
    on app.t, lock budget
  after commit: UPDATE ONLY "app"."t" SET "v" = DEFAULT WHERE "v" IS NULL
    on app.t
    in batches

plan before=18
ALTER TABLE t /* why */ ADD COLUMN "U u" uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE, add note text
----
ALTER TABLE: adding "U u" to "t" without values, filling its rows in batches; checking that "U u" of "t" has no NULL before making it NOT NULL; building "t_U u_key" on "t" concurrently
  probe
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "U u", DROP COLUMN IF EXISTS "note"
  in place: ALTER TABLE t /* why */ ADD COLUMN "U u" uuid, ALTER COLUMN "U u" SET DEFAULT gen_random_uuid(), add note text
    on app.t, lock budget
  after commit: UPDATE ONLY "app"."t" SET "U u" = DEFAULT WHERE "U u" IS NULL
    on app.t
    in batches
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "pgsluice_U u_not_null" CHECK ("U u" IS NOT NULL) NOT VALID
    on app.t, lock budget
    helper pgsluice_U u_not_null
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "pgsluice_U u_not_null"
    on app.t
  after commit: ALTER TABLE "app"."t" ALTER COLUMN "U u" SET NOT NULL
    then ALTER TABLE "app"."t" DROP CONSTRAINT "pgsluice_U u_not_null"
    on app.t, lock budget
    helper pgsluice_U u_not_null, dropped
  alone: CREATE UNIQUE INDEX CONCURRENTLY "t_U u_key" ON "app"."t" ("U u")
    on app.t
    index app.t_U u_key
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "t_U u_key" UNIQUE USING INDEX "t_U u_key"
    on app.t, lock budget

plan major=18
ALTER TABLE t /* why */ ADD COLUMN "U u" uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE, add note text
----
ALTER TABLE: adding "U u" to "t" without values, filling its rows in batches; checking that "U u" of "t" has no NULL before making it NOT NULL; building "t_U u_key" on "t" concurrently
  probe
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "U u", DROP COLUMN IF EXISTS "note"
  in place: ALTER TABLE t /* why */ ADD COLUMN "U u" uuid, ALTER COLUMN "U u" SET DEFAULT gen_random_uuid(), add note text
    on app.t, lock budget
  after commit: UPDATE ONLY "app"."t" SET "U u" = DEFAULT WHERE "U u" IS NULL
    on app.t
    in batches
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "t_U u_not_null" NOT NULL "U u" NOT VALID
    on app.t, lock budget
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "t_U u_not_null"
    on app.t
  alone: CREATE UNIQUE INDEX CONCURRENTLY "t_U u_key" ON "app"."t" ("U u")
    on app.t
    index app.t_U u_key
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "t_U u_key" UNIQUE USING INDEX "t_U u_key"
    on app.t, lock budget

plan
ALTER TABLE t ADD COLUMN r int DEFAULT roll() CHECK (r > 0) REFERENCES parent
----
ALTER TABLE: adding "r" to "t" without values, filling its rows in batches; adding "t_r_check", "t_r_fkey" to "t" NOT VALID, validating afterwards
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "r"
  in place: ALTER TABLE t ADD COLUMN r int, ALTER COLUMN "r" SET DEFAULT roll()
    on app.t and app.parent, lock budget
  after commit: UPDATE ONLY "app"."t" SET "r" = DEFAULT WHERE "r" IS NULL
    on app.t
    in batches
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "t_r_check" CHECK (r > 0) NOT VALID
    on app.t, lock budget
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "t_r_check"
    on app.t
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "t_r_fkey" FOREIGN KEY ("r") REFERENCES parent NOT VALID
    on app.t and app.parent [1=id], lock budget
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "t_r_fkey"
    on app.t and app.parent [1=id]

# What gives every row the same value is done at once.
plan
ALTER TABLE t ADD COLUMN n timestamptz NOT NULL DEFAULT now(), ADD k int DEFAULT 1
----
ALTER TABLE
  in place: (as it is)
    on app.t, lock budget, client's text

# Serial and identity.
plan before=18
ALTER TABLE t ADD COLUMN s serial
----
ALTER TABLE: adding "s" to "t" without values, filling its rows in batches; checking that "s" of "t" has no NULL before making it NOT NULL
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "s"
  in place: CREATE SEQUENCE "app"."t_s_seq" AS integer
    then ALTER TABLE t ADD COLUMN s integer, ALTER COLUMN "s" SET DEFAULT pg_catalog.nextval('"app"."t_s_seq"'::pg_catalog.regclass)
    then ALTER SEQUENCE "app"."t_s_seq" OWNED BY "app"."t"."s"
    on app.t, lock budget
  after commit: UPDATE ONLY "app"."t" SET "s" = DEFAULT WHERE "s" IS NULL
    on app.t
    in batches
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "pgsluice_s_not_null" CHECK ("s" IS NOT NULL) NOT VALID
    on app.t, lock budget
    helper pgsluice_s_not_null
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "pgsluice_s_not_null"
    on app.t
  after commit: ALTER TABLE "app"."t" ALTER COLUMN "s" SET NOT NULL
    then ALTER TABLE "app"."t" DROP CONSTRAINT "pgsluice_s_not_null"
    on app.t, lock budget
    helper pgsluice_s_not_null, dropped

plan major=18
ALTER TABLE t ADD COLUMN s serial
----
ALTER TABLE: adding "s" to "t" without values, filling its rows in batches; checking that "s" of "t" has no NULL before making it NOT NULL
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "s"
  in place: CREATE SEQUENCE "app"."t_s_seq" AS integer
    then ALTER TABLE t ADD COLUMN s integer, ALTER COLUMN "s" SET DEFAULT pg_catalog.nextval('"app"."t_s_seq"'::pg_catalog.regclass)
    then ALTER SEQUENCE "app"."t_s_seq" OWNED BY "app"."t"."s"
    on app.t, lock budget
  after commit: UPDATE ONLY "app"."t" SET "s" = DEFAULT WHERE "s" IS NULL
    on app.t
    in batches
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "t_s_not_null" NOT NULL "s" NOT VALID
    on app.t, lock budget
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "t_s_not_null"
    on app.t

plan before=18
ALTER TABLE t ADD COLUMN s8 bigserial UNIQUE, ADD s2 smallserial
----
ALTER TABLE: adding "s8" to "t" without values, filling its rows in batches; checking that "s8" of "t" has no NULL before making it NOT NULL; building "t_s8_key" on "t" concurrently; adding "s2" to "t" without values, filling its rows in batches; checking that "s2" of "t" has no NULL before making it NOT NULL
  probe
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "s8", DROP COLUMN IF EXISTS "s2"
  in place: CREATE SEQUENCE "app"."t_s8_seq" AS bigint
    then CREATE SEQUENCE "app"."t_s2_seq" AS smallint
    then ALTER TABLE t ADD COLUMN s8 bigint, ALTER COLUMN "s8" SET DEFAULT pg_catalog.nextval('"app"."t_s8_seq"'::pg_catalog.regclass), ADD s2 smallint, ALTER COLUMN "s2" SET DEFAULT pg_catalog.nextval('"app"."t_s2_seq"'::pg_catalog.regclass)
    then ALTER SEQUENCE "app"."t_s8_seq" OWNED BY "app"."t"."s8"
    then ALTER SEQUENCE "app"."t_s2_seq" OWNED BY "app"."t"."s2"
    on app.t, lock budget
  after commit: UPDATE ONLY "app"."t" SET "s8" = DEFAULT WHERE "s8" IS NULL
    on app.t
    in batches
  after commit: UPDATE ONLY "app"."t" SET "s2" = DEFAULT WHERE "s2" IS NULL
    on app.t
    in batches
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "pgsluice_s8_not_null" CHECK ("s8" IS NOT NULL) NOT VALID
    on app.t, lock budget
    helper pgsluice_s8_not_null
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "pgsluice_s8_not_null"
    on app.t
  after commit: ALTER TABLE "app"."t" ALTER COLUMN "s8" SET NOT NULL
    then ALTER TABLE "app"."t" DROP CONSTRAINT "pgsluice_s8_not_null"
    on app.t, lock budget
    helper pgsluice_s8_not_null, dropped
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "pgsluice_s2_not_null" CHECK ("s2" IS NOT NULL) NOT VALID
    on app.t, lock budget
    helper pgsluice_s2_not_null
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "pgsluice_s2_not_null"
    on app.t
  after commit: ALTER TABLE "app"."t" ALTER COLUMN "s2" SET NOT NULL
    then ALTER TABLE "app"."t" DROP CONSTRAINT "pgsluice_s2_not_null"
    on app.t, lock budget
    helper pgsluice_s2_not_null, dropped
  alone: CREATE UNIQUE INDEX CONCURRENTLY "t_s8_key" ON "app"."t" ("s8")
    on app.t
    index app.t_s8_key
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "t_s8_key" UNIQUE USING INDEX "t_s8_key"
    on app.t, lock budget

plan before=18
ALTER TABLE t ADD COLUMN i bigint GENERATED BY DEFAULT AS IDENTITY (START WITH 100 INCREMENT BY 5)
----
ALTER TABLE: adding "i" to "t" without values, filling its rows in batches; checking that "i" of "t" has no NULL before making it NOT NULL
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "i"
  in place: CREATE SEQUENCE "app"."pgsluice_t_i_seq" AS bigint START WITH 100 INCREMENT BY 5
    then ALTER TABLE t ADD COLUMN i bigint, ALTER COLUMN "i" SET DEFAULT pg_catalog.nextval('"app"."pgsluice_t_i_seq"'::pg_catalog.regclass)
    then ALTER SEQUENCE "app"."pgsluice_t_i_seq" OWNED BY "app"."t"."i"
    on app.t, lock budget
  after commit: UPDATE ONLY "app"."t" SET "i" = DEFAULT WHERE "i" IS NULL
    on app.t
    in batches
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "pgsluice_i_not_null" CHECK ("i" IS NOT NULL) NOT VALID
    on app.t, lock budget
    helper pgsluice_i_not_null
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "pgsluice_i_not_null"
    on app.t
  after commit: ALTER TABLE "app"."t" ALTER COLUMN "i" SET NOT NULL
    then ALTER TABLE "app"."t" DROP CONSTRAINT "pgsluice_i_not_null"
    on app.t, lock budget
    helper pgsluice_i_not_null, dropped
  after commit: ALTER TABLE "app"."t" ALTER COLUMN "i" DROP DEFAULT, ALTER COLUMN "i" ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 100 INCREMENT BY 5)
    then SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('"app"."t"', 'i')::pg_catalog.regclass, s.last_value, s.is_called) FROM "app"."pgsluice_t_i_seq" AS s
    then DROP SEQUENCE "app"."pgsluice_t_i_seq"
    on app.t, lock budget

plan major=18
ALTER TABLE t ADD COLUMN i bigint GENERATED BY DEFAULT AS IDENTITY (START WITH 100 INCREMENT BY 5)
----
ALTER TABLE: adding "i" to "t" without values, filling its rows in batches; checking that "i" of "t" has no NULL before making it NOT NULL
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "i"
  in place: CREATE SEQUENCE "app"."pgsluice_t_i_seq" AS bigint START WITH 100 INCREMENT BY 5
    then ALTER TABLE t ADD COLUMN i bigint, ALTER COLUMN "i" SET DEFAULT pg_catalog.nextval('"app"."pgsluice_t_i_seq"'::pg_catalog.regclass)
    then ALTER SEQUENCE "app"."pgsluice_t_i_seq" OWNED BY "app"."t"."i"
    on app.t, lock budget
  after commit: UPDATE ONLY "app"."t" SET "i" = DEFAULT WHERE "i" IS NULL
    on app.t
    in batches
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "t_i_not_null" NOT NULL "i" NOT VALID
    on app.t, lock budget
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "t_i_not_null"
    on app.t
  after commit: ALTER TABLE "app"."t" ALTER COLUMN "i" DROP DEFAULT, ALTER COLUMN "i" ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 100 INCREMENT BY 5)
    then SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('"app"."t"', 'i')::pg_catalog.regclass, s.last_value, s.is_called) FROM "app"."pgsluice_t_i_seq" AS s
    then DROP SEQUENCE "app"."pgsluice_t_i_seq"
    on app.t, lock budget

plan before=18
ALTER TABLE t ADD COLUMN j int NOT NULL CONSTRAINT x GENERATED ALWAYS AS IDENTITY UNIQUE
----
ALTER TABLE: adding "j" to "t" without values, filling its rows in batches; checking that "j" of "t" has no NULL before making it NOT NULL; building "t_j_key" on "t" concurrently
  probe
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "j"
  in place: CREATE SEQUENCE "app"."pgsluice_t_j_seq" AS integer
    then ALTER TABLE t ADD COLUMN j int, ALTER COLUMN "j" SET DEFAULT pg_catalog.nextval('"app"."pgsluice_t_j_seq"'::pg_catalog.regclass)
    then ALTER SEQUENCE "app"."pgsluice_t_j_seq" OWNED BY "app"."t"."j"
    on app.t, lock budget
  after commit: UPDATE ONLY "app"."t" SET "j" = DEFAULT WHERE "j" IS NULL
    on app.t
    in batches
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "pgsluice_j_not_null" CHECK ("j" IS NOT NULL) NOT VALID
    on app.t, lock budget
    helper pgsluice_j_not_null
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "pgsluice_j_not_null"
    on app.t
  after commit: ALTER TABLE "app"."t" ALTER COLUMN "j" SET NOT NULL
    then ALTER TABLE "app"."t" DROP CONSTRAINT "pgsluice_j_not_null"
    on app.t, lock budget
    helper pgsluice_j_not_null, dropped
  alone: CREATE UNIQUE INDEX CONCURRENTLY "t_j_key" ON "app"."t" ("j")
    on app.t
    index app.t_j_key
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "t_j_key" UNIQUE USING INDEX "t_j_key"
    on app.t, lock budget
  after commit: ALTER TABLE "app"."t" ALTER COLUMN "j" DROP DEFAULT, ALTER COLUMN "j" ADD GENERATED ALWAYS AS IDENTITY
    then SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('"app"."t"', 'j')::pg_catalog.regclass, s.last_value, s.is_called) FROM "app"."pgsluice_t_j_seq" AS s
    then DROP SEQUENCE "app"."pgsluice_t_j_seq"
    on app.t, lock budget

# Constraints of a column: a check reads the table even where the column is empty, a foreign key only where it is not.
plan
ALTER TABLE t ADD COLUMN c1 int CONSTRAINT positive CHECK (c1 > 0)
----
ALTER TABLE: adding "positive" to "t" NOT VALID, validating afterwards
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "c1"
  in place: ALTER TABLE t ADD COLUMN c1 int, ADD CONSTRAINT positive CHECK (c1 > 0) NOT VALID
    on app.t, lock budget
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "positive"
    on app.t

plan
ALTER TABLE t ADD COLUMN c2 int DEFAULT 1 REFERENCES parent ON DELETE CASCADE
----
ALTER TABLE: adding "t_c2_fkey" to "t" NOT VALID, validating afterwards
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "c2"
  in place: ALTER TABLE t ADD COLUMN c2 int DEFAULT 1, ADD CONSTRAINT "t_c2_fkey" FOREIGN KEY ("c2") REFERENCES parent ON DELETE CASCADE NOT VALID
    on app.t and app.parent, lock budget
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "t_c2_fkey"
    on app.t and app.parent [1=id]

plan
ALTER TABLE t ADD COLUMN c3 int REFERENCES parent
----
ALTER TABLE
  in place: (as it is)
    on app.t and app.parent, lock budget, client's text

plan
ALTER TABLE t ADD COLUMN c4 int UNIQUE
----
ALTER TABLE: building "t_c4_key" on "t" concurrently
  probe
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "c4"
  in place: ALTER TABLE t ADD COLUMN c4 int
    on app.t, lock budget
  alone: CREATE UNIQUE INDEX CONCURRENTLY "t_c4_key" ON "app"."t" ("c4")
    on app.t
    index app.t_c4_key
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "t_c4_key" UNIQUE USING INDEX "t_c4_key"
    on app.t, lock budget

plan
ALTER TABLE t ADD COLUMN c5 int DEFAULT 1 NOT NULL CHECK (c5 > 0) CHECK (c5 < 10)
----
ALTER TABLE: adding "t_c5_check", "t_c5_check1" to "t" NOT VALID, validating afterwards
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "c5"
  in place: ALTER TABLE t ADD COLUMN c5 int DEFAULT 1 NOT NULL, ADD CONSTRAINT "t_c5_check" CHECK (c5 > 0) NOT VALID, ADD CONSTRAINT "t_c5_check1" CHECK (c5 < 10) NOT VALID
    on app.t, lock budget
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "t_c5_check"
    on app.t
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "t_c5_check1"
    on app.t

# It exists already.
plan
ALTER TABLE t ADD COLUMN IF NOT EXISTS a int DEFAULT roll() CHECK (a > 0)
----
ALTER TABLE
  in place: (as it is)
    on app.t, lock budget, client's text

unplanned
ALTER TABLE t ADD COLUMN a int DEFAULT roll()
----
ALTER TABLE
  in place: (as it is)
    on app.t, lock budget, client's text

unplanned
ALTER TABLE t ADD COLUMN d1 int DEFAULT 1 UNIQUE
----
cannot make "d1" unique: all rows that exist get the same value

unplanned
ALTER TABLE t ADD COLUMN d2 int DEFAULT roll(), ALTER d2 DROP DEFAULT
----
send ALTER d2 DROP DEFAULT as a statement of its own: it is about a column whose rows get their values afterwards

# Where rows cannot be filled.
setup
CREATE TABLE keyless (a int); INSERT INTO keyless VALUES (1);
CREATE TABLE base (a int PRIMARY KEY); CREATE TABLE derived () INHERITS (base); INSERT INTO base VALUES (1);
CREATE TABLE watched (a int PRIMARY KEY); INSERT INTO watched VALUES (1);
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER look BEFORE UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION look()
----

unplanned
ALTER TABLE keyless ADD COLUMN id bigserial PRIMARY KEY
----
cannot fill column "id" of "keyless" in batches: it has no unique index over NOT NULL columns to go along; add one first

unplanned
ALTER TABLE base ADD COLUMN id bigserial
----
cannot fill column "id" of "base" in batches: it has children that inherit it; alter each by itself

unplanned
ALTER TABLE watched ADD COLUMN id bigserial
----
cannot fill column "id" of "watched" in batches: trigger "look" would run for every row; disable it meanwhile, or fill the rows yourself

# Partitions are filled one by one.
setup
CREATE TABLE events (at int PRIMARY KEY) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10);
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (at); CREATE TABLE events_2a PARTITION OF events_2 DEFAULT;
INSERT INTO events VALUES (1), (11)
----

plan before=18
ALTER TABLE events ADD COLUMN v int DEFAULT roll() NOT NULL
----
ALTER TABLE: adding "v" to "events" without values, filling its rows in batches; checking that "v" of "events" has no NULL before making it NOT NULL
  undo: ALTER TABLE "app"."events" DROP COLUMN IF EXISTS "v"
  in place: ALTER TABLE events ADD COLUMN v int, ALTER COLUMN "v" SET DEFAULT roll()
    on app.events, lock budget
  after commit: UPDATE ONLY "app"."events_1" SET "v" = DEFAULT WHERE "v" IS NULL
    on app.events_1
    in batches
  after commit: UPDATE ONLY "app"."events_2a" SET "v" = DEFAULT WHERE "v" IS NULL
    on app.events_2a
    in batches
  after commit: ALTER TABLE "app"."events" ADD CONSTRAINT "pgsluice_v_not_null" CHECK ("v" IS NOT NULL) NOT VALID
    on app.events, lock budget
    helper pgsluice_v_not_null
  after commit: ALTER TABLE "app"."events" VALIDATE CONSTRAINT "pgsluice_v_not_null"
    on app.events
  after commit: ALTER TABLE "app"."events" ALTER COLUMN "v" SET NOT NULL
    then ALTER TABLE "app"."events" DROP CONSTRAINT "pgsluice_v_not_null"
    on app.events, lock budget
    helper pgsluice_v_not_null, dropped

plan major=18
ALTER TABLE events ADD COLUMN v int DEFAULT roll() NOT NULL
----
ALTER TABLE: adding "v" to "events" without values, filling its rows in batches; checking that "v" of "events" has no NULL before making it NOT NULL
  undo: ALTER TABLE "app"."events" DROP COLUMN IF EXISTS "v"
  in place: ALTER TABLE events ADD COLUMN v int, ALTER COLUMN "v" SET DEFAULT roll()
    on app.events, lock budget
  after commit: UPDATE ONLY "app"."events_1" SET "v" = DEFAULT WHERE "v" IS NULL
    on app.events_1
    in batches
  after commit: UPDATE ONLY "app"."events_2a" SET "v" = DEFAULT WHERE "v" IS NULL
    on app.events_2a
    in batches
  after commit: ALTER TABLE "app"."events" ADD CONSTRAINT "events_v_not_null" NOT NULL "v" NOT VALID
    on app.events, lock budget
  after commit: ALTER TABLE "app"."events" VALIDATE CONSTRAINT "events_v_not_null"
    on app.events

# Its sequence may have a name, which the one that stands in for it does not have.
plan before=18
ALTER TABLE t ADD COLUMN named int GENERATED ALWAYS AS IDENTITY (START 5 SEQUENCE NAME app."My numbers" INCREMENT 2)
----
ALTER TABLE: adding "named" to "t" without values, filling its rows in batches; checking that "named" of "t" has no NULL before making it NOT NULL
  undo: ALTER TABLE "app"."t" DROP COLUMN IF EXISTS "named"
  in place: CREATE SEQUENCE "app"."pgsluice_t_named_seq" AS integer START 5  INCREMENT 2
    then ALTER TABLE t ADD COLUMN named int, ALTER COLUMN "named" SET DEFAULT pg_catalog.nextval('"app"."pgsluice_t_named_seq"'::pg_catalog.regclass)
    then ALTER SEQUENCE "app"."pgsluice_t_named_seq" OWNED BY "app"."t"."named"
    on app.t, lock budget
  after commit: UPDATE ONLY "app"."t" SET "named" = DEFAULT WHERE "named" IS NULL
    on app.t
    in batches
  after commit: ALTER TABLE "app"."t" ADD CONSTRAINT "pgsluice_named_not_null" CHECK ("named" IS NOT NULL) NOT VALID
    on app.t, lock budget
    helper pgsluice_named_not_null
  after commit: ALTER TABLE "app"."t" VALIDATE CONSTRAINT "pgsluice_named_not_null"
    on app.t
  after commit: ALTER TABLE "app"."t" ALTER COLUMN "named" SET NOT NULL
    then ALTER TABLE "app"."t" DROP CONSTRAINT "pgsluice_named_not_null"
    on app.t, lock budget
    helper pgsluice_named_not_null, dropped
  after commit: ALTER TABLE "app"."t" ALTER COLUMN "named" DROP DEFAULT, ALTER COLUMN "named" ADD GENERATED ALWAYS AS IDENTITY (START 5 SEQUENCE NAME app."My numbers" INCREMENT 2)
    then SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('"app"."t"', 'named')::pg_catalog.regclass, s.last_value, s.is_called) FROM "app"."pgsluice_t_named_seq" AS s
    then DROP SEQUENCE "app"."pgsluice_t_named_seq"
    on app.t, lock budget
