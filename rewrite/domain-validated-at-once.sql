setup
CREATE DOMAIN positive AS int; CREATE TABLE counts (n positive); INSERT INTO counts VALUES (1), (NULL); CREATE SCHEMA app; CREATE TABLE app.sums (a int, "N" positive); INSERT INTO app.sums VALUES (1, 1)
----

# Nothing is locked until it is validated.
plan
ALTER DOMAIN positive ADD CONSTRAINT "Positive" CHECK (VALUE > 0)
----
ALTER DOMAIN: adding "Positive" to domain "positive" NOT VALID, validating afterwards
  check 23514 column "n" of table "counts" contains values that violate the new constraint
    WITH k(found) AS MATERIALIZED (SELECT 'Values that exist violate it.' FROM (SELECT c."n" AS value FROM "public"."counts" c) v WHERE NOT (VALUE > 0
    )) SELECT found FROM k LIMIT 1
  check 23514 column "N" of table "sums" contains values that violate the new constraint
    WITH k(found) AS MATERIALIZED (SELECT 'Values that exist violate it.' FROM (SELECT c."N" AS value FROM "app"."sums" c) v WHERE NOT (VALUE > 0
    )) SELECT found FROM k LIMIT 1
  undo: ALTER DOMAIN "public"."positive" DROP CONSTRAINT IF EXISTS "Positive"
  in place: ALTER DOMAIN positive ADD CONSTRAINT "Positive" CHECK (VALUE > 0) NOT VALID
    on nothing, lock budget
  after commit: ALTER DOMAIN "public"."positive" VALIDATE CONSTRAINT "Positive"
    on public.counts and app.sums, lock budget

# What is wrong is found before anything is done.
refused
ALTER DOMAIN positive ADD CONSTRAINT large CHECK (VALUE > 10 /* ten */)
----
23514 column "n" of table "counts" contains values that violate the new constraint
Values that exist violate it.

# The server refuses it because of the array.
setup
CREATE DOMAIN listed AS int; CREATE TABLE lists (ns listed[])
----

unplanned
ALTER DOMAIN listed ADD CONSTRAINT large CHECK (VALUE > 10)
----
ALTER DOMAIN
  in place: (as it is)
    on nothing, lock budget, client's text

unplanned
ALTER DOMAIN missing ADD CONSTRAINT large CHECK (VALUE > 10)
----
cannot plan without the domain and a name for its constraint
