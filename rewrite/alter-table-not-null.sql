setup before=18
CREATE TABLE t (id int PRIMARY KEY, a int, b text, "C c" int, d int, e int, f int);
INSERT INTO t SELECT g, g, g, g, g, g, g FROM generate_series(1, 10) g
----

plan before=18
ALTER TABLE t ALTER COLUMN a SET NOT NULL
----
ALTER TABLE: checking that "a" of "t" has no NULL before making it NOT NULL
  check 23502 column "a" of relation "t" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."t" WHERE "a" IS NULL) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "public"."t" ALTER COLUMN "a" DROP NOT NULL, DROP CONSTRAINT IF EXISTS "pgsluice_a_not_null"
  in place: ALTER TABLE t ADD CONSTRAINT "pgsluice_a_not_null" CHECK ("a" IS NOT NULL) NOT VALID
    on public.t, lock budget
    helper pgsluice_a_not_null
  after commit: ALTER TABLE "public"."t" VALIDATE CONSTRAINT "pgsluice_a_not_null"
    on public.t [2=a]
  after commit: ALTER TABLE "public"."t" ALTER COLUMN "a" SET NOT NULL
    then ALTER TABLE "public"."t" DROP CONSTRAINT "pgsluice_a_not_null"
    on public.t [2=a], lock budget
    helper pgsluice_a_not_null, dropped

# In one statement with others; comments and spelling stay.
plan before=18
alter table only t /* two */ alter "C c" set not null, -- first
  add column note text default 'x', alter b set not null
----
ALTER TABLE: checking that "C c" of "t" has no NULL before making it NOT NULL; checking that "b" of "t" has no NULL before making it NOT NULL
  check 23502 column "C c" of relation "t" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."t" WHERE "C c" IS NULL) SELECT found FROM k LIMIT 1
  check 23502 column "b" of relation "t" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."t" WHERE "b" IS NULL) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "public"."t" ALTER COLUMN "C c" DROP NOT NULL, DROP CONSTRAINT IF EXISTS "pgsluice_C c_not_null", DROP COLUMN IF EXISTS "note", ALTER COLUMN "b" DROP NOT NULL, DROP CONSTRAINT IF EXISTS "pgsluice_b_not_null"
  in place: alter table only t /* two */ ADD CONSTRAINT "pgsluice_C c_not_null" CHECK ("C c" IS NOT NULL) NOT VALID, -- first
  add column note text default 'x', ADD CONSTRAINT "pgsluice_b_not_null" CHECK ("b" IS NOT NULL) NOT VALID
    on public.t, lock budget
    helper pgsluice_C c_not_null
    helper pgsluice_b_not_null
  after commit: ALTER TABLE "public"."t" VALIDATE CONSTRAINT "pgsluice_C c_not_null"
    on public.t [4=C c]
  after commit: ALTER TABLE "public"."t" ALTER COLUMN "C c" SET NOT NULL
    then ALTER TABLE "public"."t" DROP CONSTRAINT "pgsluice_C c_not_null"
    on public.t [4=C c], lock budget
    helper pgsluice_C c_not_null, dropped
  after commit: ALTER TABLE "public"."t" VALIDATE CONSTRAINT "pgsluice_b_not_null"
    on public.t [3=b]
  after commit: ALTER TABLE "public"."t" ALTER COLUMN "b" SET NOT NULL
    then ALTER TABLE "public"."t" DROP CONSTRAINT "pgsluice_b_not_null"
    on public.t [3=b], lock budget
    helper pgsluice_b_not_null, dropped

# A check that is valid proves it: the server reads nothing.
setup before=18
ALTER TABLE t ADD CONSTRAINT d_there CHECK (d IS NOT NULL AND d > 0)
----

plan before=18
ALTER TABLE t ALTER d SET NOT NULL
----
ALTER TABLE
  in place: (as it is)
    on public.t, lock budget, client's text

# One that is not validated yet is validated, and stays.
setup before=18
ALTER TABLE t ADD CONSTRAINT e_there CHECK (NOT e IS NULL) NOT VALID
----

plan before=18 validates=e_there
ALTER TABLE t ALTER e SET NOT NULL
----
ALTER TABLE: checking that "e" of "t" has no NULL before making it NOT NULL
  check 23502 column "e" of relation "t" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."t" WHERE "e" IS NULL) SELECT found FROM k LIMIT 1
  after commit: ALTER TABLE "public"."t" VALIDATE CONSTRAINT "e_there"
    on public.t [6=e]
  after commit: ALTER TABLE "public"."t" ALTER COLUMN "e" SET NOT NULL
    on public.t [6=e], lock budget

# What the statement drops proves nothing in it.
setup before=18
ALTER TABLE t ADD CONSTRAINT f_there CHECK (f IS NOT NULL)
----

plan before=18
ALTER TABLE t ALTER f SET NOT NULL, DROP CONSTRAINT f_there
----
ALTER TABLE: checking that "f" of "t" has no NULL before making it NOT NULL
  check 23502 column "f" of relation "t" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."t" WHERE "f" IS NULL) SELECT found FROM k LIMIT 1
  in place: ALTER TABLE t ADD CONSTRAINT "pgsluice_f_not_null" CHECK ("f" IS NOT NULL) NOT VALID, DROP CONSTRAINT f_there
    on public.t, lock budget
    helper pgsluice_f_not_null
  after commit: ALTER TABLE "public"."t" VALIDATE CONSTRAINT "pgsluice_f_not_null"
    on public.t [7=f]
  after commit: ALTER TABLE "public"."t" ALTER COLUMN "f" SET NOT NULL
    then ALTER TABLE "public"."t" DROP CONSTRAINT "pgsluice_f_not_null"
    on public.t [7=f], lock budget
    helper pgsluice_f_not_null, dropped

# It is so already.
plan before=18
ALTER TABLE t ALTER f SET NOT NULL
----
ALTER TABLE
  in place: (as it is)
    on public.t, lock budget, client's text

# Partitions and children.
setup before=18
CREATE TABLE events (at int, a int) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10);
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20) PARTITION BY LIST (a); CREATE TABLE events_2a PARTITION OF events_2 DEFAULT;
INSERT INTO events VALUES (1, 1), (11, 1); CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (1)
----

plan before=18
ALTER TABLE events ALTER a SET NOT NULL
----
ALTER TABLE: checking that "a" of "events" has no NULL before making it NOT NULL
  check 23502 column "a" of relation "events" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."events" WHERE "a" IS NULL) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "public"."events" ALTER COLUMN "a" DROP NOT NULL, DROP CONSTRAINT IF EXISTS "pgsluice_a_not_null"
  in place: ALTER TABLE events ADD CONSTRAINT "pgsluice_a_not_null" CHECK ("a" IS NOT NULL) NOT VALID
    on public.events, lock budget
    helper pgsluice_a_not_null
  after commit: ALTER TABLE "public"."events" VALIDATE CONSTRAINT "pgsluice_a_not_null"
    on public.events [2=a]
  after commit: ALTER TABLE "public"."events" ALTER COLUMN "a" SET NOT NULL
    then ALTER TABLE "public"."events" DROP CONSTRAINT "pgsluice_a_not_null"
    on public.events [2=a], lock budget
    helper pgsluice_a_not_null, dropped

plan before=18
ALTER TABLE parent ALTER a SET NOT NULL
----
ALTER TABLE: checking that "a" of "parent" has no NULL before making it NOT NULL
  check 23502 column "a" of relation "parent" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."parent" WHERE "a" IS NULL) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "public"."parent" ALTER COLUMN "a" DROP NOT NULL, DROP CONSTRAINT IF EXISTS "pgsluice_a_not_null"
  in place: ALTER TABLE parent ADD CONSTRAINT "pgsluice_a_not_null" CHECK ("a" IS NOT NULL) NOT VALID
    on public.parent, lock budget
    helper pgsluice_a_not_null
  after commit: ALTER TABLE "public"."parent" VALIDATE CONSTRAINT "pgsluice_a_not_null"
    on public.parent [1=a]
  after commit: ALTER TABLE "public"."parent" ALTER COLUMN "a" SET NOT NULL
    then ALTER TABLE "public"."parent" DROP CONSTRAINT "pgsluice_a_not_null"
    on public.parent [1=a], lock budget
    helper pgsluice_a_not_null, dropped

unplanned before=18
ALTER TABLE ONLY parent ALTER a SET NOT NULL
----
leave ONLY out: "parent" has partitions or children, and NOT NULL is theirs, too

# With a foreign key and a check.
setup before=18
CREATE TABLE mixed (id int PRIMARY KEY, p int, q int); INSERT INTO mixed VALUES (1, 1, 1)
----

plan before=18
ALTER TABLE mixed ALTER p SET NOT NULL, ADD FOREIGN KEY (p) REFERENCES t, ADD CHECK (q > 0), ALTER q SET NOT NULL, ALTER q SET DEFAULT 5
----
ALTER TABLE: checking that "p" of "mixed" has no NULL before making it NOT NULL; checking that "q" of "mixed" has no NULL before making it NOT NULL; adding "mixed_p_fkey", "mixed_q_check" to "mixed" NOT VALID, validating afterwards
  check 23502 column "p" of relation "mixed" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."mixed" WHERE "p" IS NULL) SELECT found FROM k LIMIT 1
  check 23503 insert or update on table "mixed" violates foreign key constraint "mixed_p_fkey"
    WITH k(c1) AS MATERIALIZED (SELECT "p" FROM ONLY "public"."mixed" AS c WHERE "p" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "public"."t" AS p WHERE p."id" OPERATOR(pg_catalog.=) c."p")) SELECT pg_catalog.concat('Key (p)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ') is not present in table "t".') FROM k LIMIT 1
  check 23514 check constraint "mixed_q_check" of relation "mixed" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."mixed" WHERE NOT (q > 0
    )) SELECT found FROM k LIMIT 1
  check 23502 column "q" of relation "mixed" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."mixed" WHERE "q" IS NULL) SELECT found FROM k LIMIT 1
  in place: ALTER TABLE mixed ADD CONSTRAINT "pgsluice_p_not_null" CHECK ("p" IS NOT NULL) NOT VALID, ADD CONSTRAINT "mixed_p_fkey" FOREIGN KEY (p) REFERENCES t NOT VALID, ADD CONSTRAINT "mixed_q_check" CHECK (q > 0) NOT VALID, ADD CONSTRAINT "pgsluice_q_not_null" CHECK ("q" IS NOT NULL) NOT VALID, ALTER q SET DEFAULT 5
    on public.mixed and public.t, lock budget
    helper pgsluice_p_not_null
    helper pgsluice_q_not_null
  after commit: ALTER TABLE "public"."mixed" VALIDATE CONSTRAINT "pgsluice_p_not_null"
    on public.mixed [2=p]
  after commit: ALTER TABLE "public"."mixed" ALTER COLUMN "p" SET NOT NULL
    then ALTER TABLE "public"."mixed" DROP CONSTRAINT "pgsluice_p_not_null"
    on public.mixed [2=p], lock budget
    helper pgsluice_p_not_null, dropped
  after commit: ALTER TABLE "public"."mixed" VALIDATE CONSTRAINT "pgsluice_q_not_null"
    on public.mixed [3=q]
  after commit: ALTER TABLE "public"."mixed" ALTER COLUMN "q" SET NOT NULL
    then ALTER TABLE "public"."mixed" DROP CONSTRAINT "pgsluice_q_not_null"
    on public.mixed [3=q], lock budget
    helper pgsluice_q_not_null, dropped
  after commit: ALTER TABLE "public"."mixed" VALIDATE CONSTRAINT "mixed_p_fkey"
    on public.mixed [2=p] and public.t [1=id]
  after commit: ALTER TABLE "public"."mixed" VALIDATE CONSTRAINT "mixed_q_check"
    on public.mixed [3=q]

# Rows without a value.
setup before=18
CREATE TABLE holes (a int, b int); INSERT INTO holes VALUES (1, NULL)
----

refused before=18
ALTER TABLE holes ALTER b SET NOT NULL
----
23502 column "b" of relation "holes" contains null values
Rows that exist have none.

# The name of a helper is free.
setup before=18
ALTER TABLE holes ADD CONSTRAINT pgsluice_a_not_null CHECK (a IS NOT NULL) NOT VALID
----

plan before=18
ALTER TABLE holes ALTER a SET NOT NULL
----
ALTER TABLE: checking that "a" of "holes" has no NULL before making it NOT NULL
  check 23502 column "a" of relation "holes" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."holes" WHERE "a" IS NULL) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "public"."holes" ALTER COLUMN "a" DROP NOT NULL, DROP CONSTRAINT IF EXISTS "pgsluice_a_not_null1"
  in place: ALTER TABLE holes ADD CONSTRAINT "pgsluice_a_not_null1" CHECK ("a" IS NOT NULL) NOT VALID
    on public.holes, lock budget
    helper pgsluice_a_not_null1
  after commit: ALTER TABLE "public"."holes" VALIDATE CONSTRAINT "pgsluice_a_not_null1"
    on public.holes [1=a]
  after commit: ALTER TABLE "public"."holes" ALTER COLUMN "a" SET NOT NULL
    then ALTER TABLE "public"."holes" DROP CONSTRAINT "pgsluice_a_not_null1"
    on public.holes [1=a], lock budget
    helper pgsluice_a_not_null1, dropped
