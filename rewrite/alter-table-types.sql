setup
CREATE TABLE t (id int PRIMARY KEY, n bigint CHECK (n > 0), code varchar(20));
INSERT INTO t SELECT g, g, g FROM generate_series(1, 10) g;
CREATE INDEX t_some ON t (n) WHERE n > 5
----

# The column has that type: there is nothing to do, and the server would check and build all the same.
plan
ALTER TABLE t ALTER COLUMN n TYPE bigint
----
ALTER TABLE: "n" of "t" has its type already, which is left as it is

plan
ALTER TABLE t ALTER COLUMN n TYPE int8 USING n::bigint, ALTER code SET DEFAULT 'x'
----
ALTER TABLE: "n" of "t" has its type already, which is left as it is
  in place: ALTER TABLE t ALTER code SET DEFAULT 'x'
    on public.t, lock budget

# As Rails changes a column.
plan before=18
ALTER TABLE "t" ALTER COLUMN "n" TYPE bigint, ALTER COLUMN "n" SET NOT NULL
----
ALTER TABLE: checking that "n" of "t" has no NULL before making it NOT NULL; "n" of "t" has its type already, which is left as it is
  check 23502 column "n" of relation "t" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."t" WHERE "n" IS NULL) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "public"."t" ALTER COLUMN "n" DROP NOT NULL, DROP CONSTRAINT IF EXISTS "pgsluice_n_not_null"
  in place: ALTER TABLE "t" ADD CONSTRAINT "pgsluice_n_not_null" CHECK ("n" IS NOT NULL) NOT VALID
    on public.t, lock budget
    helper pgsluice_n_not_null
  after commit: ALTER TABLE "public"."t" VALIDATE CONSTRAINT "pgsluice_n_not_null"
    on public.t [2=n]
  after commit: ALTER TABLE "public"."t" ALTER COLUMN "n" SET NOT NULL
    then ALTER TABLE "public"."t" DROP CONSTRAINT "pgsluice_n_not_null"
    on public.t [2=n], lock budget
    helper pgsluice_n_not_null, dropped

plan major=18
ALTER TABLE "t" ALTER COLUMN "n" TYPE bigint, ALTER COLUMN "n" SET NOT NULL
----
ALTER TABLE: checking that "n" of "t" has no NULL before making it NOT NULL; "n" of "t" has its type already, which is left as it is
  check 23502 column "n" of relation "t" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."t" WHERE "n" IS NULL) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "public"."t" ALTER COLUMN "n" DROP NOT NULL
  in place: ALTER TABLE "t" ADD CONSTRAINT "t_n_not_null" NOT NULL "n" NOT VALID
    on public.t, lock budget
  after commit: ALTER TABLE "public"."t" VALIDATE CONSTRAINT "t_n_not_null"
    on public.t [2=n]
