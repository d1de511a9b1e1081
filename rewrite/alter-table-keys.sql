setup
CREATE TABLE t (id int, a int, b text, "C c" int NOT NULL, d int);
INSERT INTO t SELECT g, g, g, g, g FROM generate_series(1, 10) g
----

plan
ALTER TABLE t ADD UNIQUE (a)
----
ALTER TABLE: building "t_a_key" on "t" concurrently
  probe
  check 23505 could not create unique index "t_a_key"
    SELECT pg_catalog.concat('Key ("a")=(', COALESCE(("a"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."t" WHERE ("a"
    ) IS NOT NULL GROUP BY "a"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  undo: ALTER TABLE "public"."t" DROP CONSTRAINT IF EXISTS "t_a_key"
  undo: DO $pgsluice_$BEGIN
IF EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	WHERE i.indrelid OPERATOR(pg_catalog.=) N::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) $pgsluice$t_a_key$pgsluice$) THEN
EXECUTE $pgsluice$DROP INDEX "public"."t_a_key"$pgsluice$;
END IF;
END$pgsluice_$
  alone: CREATE UNIQUE INDEX CONCURRENTLY "t_a_key" ON "public"."t" ("a")
    on public.t [2=a]
    index public.t_a_key
  after commit: ALTER TABLE "public"."t" ADD CONSTRAINT "t_a_key" UNIQUE USING INDEX "t_a_key"
    on public.t [2=a], lock budget

plan
alter table t add /* why */ constraint "T b" unique ("b", "C c") include (d) with (fillfactor = 50) deferrable initially deferred
----
ALTER TABLE: building "T b" on "t" concurrently
  probe
  check 23505 could not create unique index "T b"
    SELECT pg_catalog.concat('Key ("b", "C c")=(', COALESCE(("b"
    )::pg_catalog.text, 'null'), ', ', COALESCE(("C c"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."t" WHERE ("b"
    ) IS NOT NULL AND ("C c"
    ) IS NOT NULL GROUP BY "b"
    , "C c"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  undo: ALTER TABLE "public"."t" DROP CONSTRAINT IF EXISTS "T b"
  undo: DO $pgsluice_$BEGIN
IF EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	WHERE i.indrelid OPERATOR(pg_catalog.=) N::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) $pgsluice$T b$pgsluice$) THEN
EXECUTE $pgsluice$DROP INDEX "public"."T b"$pgsluice$;
END IF;
END$pgsluice_$
  alone: CREATE UNIQUE INDEX CONCURRENTLY "T b" ON "public"."t" ("b", "C c") INCLUDE ("d") WITH (fillfactor = 50)
    on public.t [3=b 4=C c 5=d]
    index public.T b
  after commit: ALTER TABLE "public"."t" ADD CONSTRAINT "T b" UNIQUE USING INDEX "T b" DEFERRABLE INITIALLY DEFERRED
    on public.t [3=b 4=C c], lock budget

plan major=15
ALTER TABLE t ADD CONSTRAINT nulls UNIQUE NULLS NOT DISTINCT (a, d) DEFERRABLE
----
ALTER TABLE: building "nulls" on "t" concurrently
  probe
  check 23505 could not create unique index "nulls"
    SELECT pg_catalog.concat('Key ("a", "d")=(', COALESCE(("a"
    )::pg_catalog.text, 'null'), ', ', COALESCE(("d"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."t" GROUP BY "a"
    , "d"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  undo: ALTER TABLE "public"."t" DROP CONSTRAINT IF EXISTS "nulls"
  undo: DO $pgsluice_$BEGIN
IF EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	WHERE i.indrelid OPERATOR(pg_catalog.=) N::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) $pgsluice$nulls$pgsluice$) THEN
EXECUTE $pgsluice$DROP INDEX "public"."nulls"$pgsluice$;
END IF;
END$pgsluice_$
  alone: CREATE UNIQUE INDEX CONCURRENTLY "nulls" ON "public"."t" ("a", "d") NULLS NOT DISTINCT
    on public.t [2=a 5=d]
    index public.nulls
  after commit: ALTER TABLE "public"."t" ADD CONSTRAINT "nulls" UNIQUE USING INDEX "nulls" DEFERRABLE
    on public.t [2=a 5=d], lock budget

# The same again gets another name.
plan
ALTER TABLE t ADD UNIQUE (a), ADD UNIQUE (a, "C c"), ADD COLUMN note text
----
ALTER TABLE: building "t_a_key1" on "t" concurrently; building "t_a_C c_key" on "t" concurrently
  probe
  check 23505 could not create unique index "t_a_key1"
    SELECT pg_catalog.concat('Key ("a")=(', COALESCE(("a"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."t" WHERE ("a"
    ) IS NOT NULL GROUP BY "a"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  check 23505 could not create unique index "t_a_C c_key"
    SELECT pg_catalog.concat('Key ("a", "C c")=(', COALESCE(("a"
    )::pg_catalog.text, 'null'), ', ', COALESCE(("C c"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."t" WHERE ("a"
    ) IS NOT NULL AND ("C c"
    ) IS NOT NULL GROUP BY "a"
    , "C c"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  undo: ALTER TABLE "public"."t" DROP CONSTRAINT IF EXISTS "t_a_key1", DROP CONSTRAINT IF EXISTS "t_a_C c_key", DROP COLUMN IF EXISTS "note"
  undo: DO $pgsluice_$BEGIN
IF EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	WHERE i.indrelid OPERATOR(pg_catalog.=) N::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) $pgsluice$t_a_key1$pgsluice$) THEN
EXECUTE $pgsluice$DROP INDEX "public"."t_a_key1"$pgsluice$;
END IF;
END$pgsluice_$
  undo: DO $pgsluice_$BEGIN
IF EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	WHERE i.indrelid OPERATOR(pg_catalog.=) N::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) $pgsluice$t_a_C c_key$pgsluice$) THEN
EXECUTE $pgsluice$DROP INDEX "public"."t_a_C c_key"$pgsluice$;
END IF;
END$pgsluice_$
  in place: ALTER TABLE t ADD COLUMN note text
    on public.t, lock budget
  alone: CREATE UNIQUE INDEX CONCURRENTLY "t_a_key1" ON "public"."t" ("a")
    on public.t [2=a]
    index public.t_a_key1
  after commit: ALTER TABLE "public"."t" ADD CONSTRAINT "t_a_key1" UNIQUE USING INDEX "t_a_key1"
    on public.t [2=a], lock budget
  alone: CREATE UNIQUE INDEX CONCURRENTLY "t_a_C c_key" ON "public"."t" ("a", "C c")
    on public.t [2=a 4=C c]
    index public.t_a_C c_key
  after commit: ALTER TABLE "public"."t" ADD CONSTRAINT "t_a_C c_key" UNIQUE USING INDEX "t_a_C c_key"
    on public.t [2=a 4=C c], lock budget

# A primary key makes its columns NOT NULL first.
plan before=18
ALTER TABLE t ADD PRIMARY KEY ("C c", id)
----
ALTER TABLE: checking that "id" of "t" has no NULL before making it NOT NULL; building "t_pkey" on "t" concurrently
  probe
  check 23502 column "id" of relation "t" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."t" WHERE "id" IS NULL) SELECT found FROM k LIMIT 1
  check 23505 could not create unique index "t_pkey"
    SELECT pg_catalog.concat('Key ("C c", "id")=(', COALESCE(("C c"
    )::pg_catalog.text, 'null'), ', ', COALESCE(("id"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."t" WHERE ("C c"
    ) IS NOT NULL AND ("id"
    ) IS NOT NULL GROUP BY "C c"
    , "id"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  undo: ALTER TABLE "public"."t" DROP CONSTRAINT IF EXISTS "t_pkey", ALTER COLUMN "id" DROP NOT NULL, DROP CONSTRAINT IF EXISTS "pgsluice_id_not_null"
  undo: DO $pgsluice_$BEGIN
IF EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	WHERE i.indrelid OPERATOR(pg_catalog.=) N::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) $pgsluice$t_pkey$pgsluice$) THEN
EXECUTE $pgsluice$DROP INDEX "public"."t_pkey"$pgsluice$;
END IF;
END$pgsluice_$
  in place: ALTER TABLE t ADD CONSTRAINT "pgsluice_id_not_null" CHECK ("id" IS NOT NULL) NOT VALID
    on public.t, lock budget
    helper pgsluice_id_not_null
  after commit: ALTER TABLE "public"."t" VALIDATE CONSTRAINT "pgsluice_id_not_null"
    on public.t [1=id]
  after commit: ALTER TABLE "public"."t" ALTER COLUMN "id" SET NOT NULL
    then ALTER TABLE "public"."t" DROP CONSTRAINT "pgsluice_id_not_null"
    on public.t [1=id], lock budget
    helper pgsluice_id_not_null, dropped
  alone: CREATE UNIQUE INDEX CONCURRENTLY "t_pkey" ON "public"."t" ("C c", "id")
    on public.t [1=id 4=C c]
    index public.t_pkey
  after commit: ALTER TABLE "public"."t" ADD CONSTRAINT "t_pkey" PRIMARY KEY USING INDEX "t_pkey"
    on public.t [1=id 4=C c], lock budget

plan major=18
ALTER TABLE t ADD PRIMARY KEY ("C c", id)
----
ALTER TABLE: checking that "id" of "t" has no NULL before making it NOT NULL; building "t_pkey" on "t" concurrently
  probe
  check 23502 column "id" of relation "t" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."t" WHERE "id" IS NULL) SELECT found FROM k LIMIT 1
  check 23505 could not create unique index "t_pkey"
    SELECT pg_catalog.concat('Key ("C c", "id")=(', COALESCE(("C c"
    )::pg_catalog.text, 'null'), ', ', COALESCE(("id"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."t" WHERE ("C c"
    ) IS NOT NULL AND ("id"
    ) IS NOT NULL GROUP BY "C c"
    , "id"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  undo: ALTER TABLE "public"."t" DROP CONSTRAINT IF EXISTS "t_pkey", ALTER COLUMN "id" DROP NOT NULL
  undo: DO $pgsluice_$BEGIN
IF EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	WHERE i.indrelid OPERATOR(pg_catalog.=) N::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) $pgsluice$t_pkey$pgsluice$) THEN
EXECUTE $pgsluice$DROP INDEX "public"."t_pkey"$pgsluice$;
END IF;
END$pgsluice_$
  in place: ALTER TABLE t ADD CONSTRAINT "t_id_not_null" NOT NULL "id" NOT VALID
    on public.t, lock budget
  after commit: ALTER TABLE "public"."t" VALIDATE CONSTRAINT "t_id_not_null"
    on public.t [1=id]
  alone: CREATE UNIQUE INDEX CONCURRENTLY "t_pkey" ON "public"."t" ("C c", "id")
    on public.t [1=id 4=C c]
    index public.t_pkey
  after commit: ALTER TABLE "public"."t" ADD CONSTRAINT "t_pkey" PRIMARY KEY USING INDEX "t_pkey"
    on public.t [1=id 4=C c], lock budget

# The server says that there is one already, and that a column is missing.
plan
ALTER TABLE t ADD COLUMN more int
----
ALTER TABLE
  in place: (as it is)
    on public.t, lock budget, client's text

unplanned
ALTER TABLE t ADD PRIMARY KEY (a)
----
ALTER TABLE
  in place: (as it is)
    on public.t, lock budget, client's text

unplanned
ALTER TABLE t ADD UNIQUE (nothing)
----
ALTER TABLE
  in place: (as it is)
    on public.t, lock budget, client's text

# A primary key of an index.
setup
CREATE TABLE u (id int, b int, c int NOT NULL); INSERT INTO u VALUES (1, 1, 1); CREATE UNIQUE INDEX u_id ON u (id); CREATE UNIQUE INDEX u_c ON u (c)
----

plan before=18
ALTER TABLE u ADD CONSTRAINT u_pk PRIMARY KEY USING INDEX u_id DEFERRABLE
----
ALTER TABLE: checking that "id" of "u" has no NULL before making it NOT NULL
  check 23502 column "id" of relation "u" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."u" WHERE "id" IS NULL) SELECT found FROM k LIMIT 1
  in place: ALTER TABLE u ADD CONSTRAINT "pgsluice_id_not_null" CHECK ("id" IS NOT NULL) NOT VALID
    on public.u and public.u_id, lock budget
    helper pgsluice_id_not_null
  after commit: ALTER TABLE "public"."u" VALIDATE CONSTRAINT "pgsluice_id_not_null"
    on public.u [1=id]
  after commit: ALTER TABLE "public"."u" ALTER COLUMN "id" SET NOT NULL
    then ALTER TABLE "public"."u" DROP CONSTRAINT "pgsluice_id_not_null"
    on public.u [1=id], lock budget
    helper pgsluice_id_not_null, dropped
  after commit: ALTER TABLE "public"."u" ADD CONSTRAINT u_pk PRIMARY KEY USING INDEX u_id DEFERRABLE
    on public.u [1=id], lock budget

plan major=18
ALTER TABLE u ADD CONSTRAINT u_pk PRIMARY KEY USING INDEX u_id DEFERRABLE
----
ALTER TABLE: checking that "id" of "u" has no NULL before making it NOT NULL
  check 23502 column "id" of relation "u" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."u" WHERE "id" IS NULL) SELECT found FROM k LIMIT 1
  in place: ALTER TABLE u ADD CONSTRAINT "u_id_not_null" NOT NULL "id" NOT VALID
    on public.u and public.u_id, lock budget
  after commit: ALTER TABLE "public"."u" VALIDATE CONSTRAINT "u_id_not_null"
    on public.u [1=id]
  after commit: ALTER TABLE "public"."u" ADD CONSTRAINT u_pk PRIMARY KEY USING INDEX u_id DEFERRABLE
    on public.u [1=id], lock budget

plan
ALTER TABLE u ADD UNIQUE USING INDEX u_c
----
ALTER TABLE
  in place: (as it is)
    on public.u, lock budget, client's text

# With what makes the column NOT NULL in the same statement, and a foreign key to the new key.
setup
CREATE TABLE v (id int, w int); INSERT INTO v VALUES (1, 1)
----

plan before=18
ALTER TABLE v ALTER id SET NOT NULL, ADD CONSTRAINT v_pk PRIMARY KEY (id), ADD CHECK (w > 0)
----
ALTER TABLE: checking that "id" of "v" has no NULL before making it NOT NULL; building "v_pk" on "v" concurrently; adding "v_w_check" to "v" NOT VALID, validating afterwards
  probe
  check 23502 column "id" of relation "v" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."v" WHERE "id" IS NULL) SELECT found FROM k LIMIT 1
  check 23505 could not create unique index "v_pk"
    SELECT pg_catalog.concat('Key ("id")=(', COALESCE(("id"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."v" WHERE ("id"
    ) IS NOT NULL GROUP BY "id"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  check 23514 check constraint "v_w_check" of relation "v" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."v" WHERE NOT (w > 0
    )) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "public"."v" ALTER COLUMN "id" DROP NOT NULL, DROP CONSTRAINT IF EXISTS "pgsluice_id_not_null", DROP CONSTRAINT IF EXISTS "v_pk", DROP CONSTRAINT IF EXISTS "v_w_check"
  undo: DO $pgsluice_$BEGIN
IF EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	WHERE i.indrelid OPERATOR(pg_catalog.=) N::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) $pgsluice$v_pk$pgsluice$) THEN
EXECUTE $pgsluice$DROP INDEX "public"."v_pk"$pgsluice$;
END IF;
END$pgsluice_$
  in place: ALTER TABLE v ADD CONSTRAINT "pgsluice_id_not_null" CHECK ("id" IS NOT NULL) NOT VALID, ADD CONSTRAINT "v_w_check" CHECK (w > 0) NOT VALID
    on public.v, lock budget
    helper pgsluice_id_not_null
  after commit: ALTER TABLE "public"."v" VALIDATE CONSTRAINT "pgsluice_id_not_null"
    on public.v [1=id]
  after commit: ALTER TABLE "public"."v" ALTER COLUMN "id" SET NOT NULL
    then ALTER TABLE "public"."v" DROP CONSTRAINT "pgsluice_id_not_null"
    on public.v [1=id], lock budget
    helper pgsluice_id_not_null, dropped
  alone: CREATE UNIQUE INDEX CONCURRENTLY "v_pk" ON "public"."v" ("id")
    on public.v [1=id]
    index public.v_pk
  after commit: ALTER TABLE "public"."v" ADD CONSTRAINT "v_pk" PRIMARY KEY USING INDEX "v_pk"
    on public.v [1=id], lock budget
  after commit: ALTER TABLE "public"."v" VALIDATE CONSTRAINT "v_w_check"
    on public.v [2=w]

plan major=18
ALTER TABLE v ALTER id SET NOT NULL, ADD CONSTRAINT v_pk PRIMARY KEY (id), ADD CHECK (w > 0)
----
ALTER TABLE: checking that "id" of "v" has no NULL before making it NOT NULL; building "v_pk" on "v" concurrently; adding "v_w_check" to "v" NOT VALID, validating afterwards
  probe
  check 23502 column "id" of relation "v" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."v" WHERE "id" IS NULL) SELECT found FROM k LIMIT 1
  check 23505 could not create unique index "v_pk"
    SELECT pg_catalog.concat('Key ("id")=(', COALESCE(("id"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."v" WHERE ("id"
    ) IS NOT NULL GROUP BY "id"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  check 23514 check constraint "v_w_check" of relation "v" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."v" WHERE NOT (w > 0
    )) SELECT found FROM k LIMIT 1
  undo: ALTER TABLE "public"."v" ALTER COLUMN "id" DROP NOT NULL, DROP CONSTRAINT IF EXISTS "v_pk", DROP CONSTRAINT IF EXISTS "v_w_check"
  undo: DO $pgsluice_$BEGIN
IF EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	WHERE i.indrelid OPERATOR(pg_catalog.=) N::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) $pgsluice$v_pk$pgsluice$) THEN
EXECUTE $pgsluice$DROP INDEX "public"."v_pk"$pgsluice$;
END IF;
END$pgsluice_$
  in place: ALTER TABLE v ADD CONSTRAINT "v_id_not_null" NOT NULL "id" NOT VALID, ADD CONSTRAINT "v_w_check" CHECK (w > 0) NOT VALID
    on public.v, lock budget
  after commit: ALTER TABLE "public"."v" VALIDATE CONSTRAINT "v_id_not_null"
    on public.v [1=id]
  alone: CREATE UNIQUE INDEX CONCURRENTLY "v_pk" ON "public"."v" ("id")
    on public.v [1=id]
    index public.v_pk
  after commit: ALTER TABLE "public"."v" ADD CONSTRAINT "v_pk" PRIMARY KEY USING INDEX "v_pk"
    on public.v [1=id], lock budget
  after commit: ALTER TABLE "public"."v" VALIDATE CONSTRAINT "v_w_check"
    on public.v [2=w]

unplanned
ALTER TABLE v ADD UNIQUE (w), ADD FOREIGN KEY (w) REFERENCES v (w)
----
send the foreign key as a statement of its own: the key of "v" that it may reference is built afterwards

unplanned
ALTER TABLE v DROP CONSTRAINT v_pk, ADD PRIMARY KEY (w)
----
send DROP CONSTRAINT v_pk as a statement of its own: the new key is built afterwards, when the old constraint is gone

# Rows that are in the way, and types that cannot have an index.
setup
CREATE TABLE twice (a int, b int, j json); INSERT INTO twice VALUES (1, NULL, '1'), (1, NULL, '2')
----

refused
ALTER TABLE twice ADD UNIQUE (a)
----
23505 could not create unique index "twice_a_key"
Key ("a")=(1) is duplicated.

refused
ALTER TABLE twice ADD PRIMARY KEY (b)
----
23502 column "b" of relation "twice" contains null values
Rows that exist have none.

refused
ALTER TABLE twice ADD UNIQUE (j)
----
42704 data type json has no default operator class for access method "btree"

plan
ALTER TABLE twice ADD UNIQUE (b)
----
ALTER TABLE: building "twice_b_key" on "twice" concurrently
  probe
  check 23505 could not create unique index "twice_b_key"
    SELECT pg_catalog.concat('Key ("b")=(', COALESCE(("b"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."twice" WHERE ("b"
    ) IS NOT NULL GROUP BY "b"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  undo: ALTER TABLE "public"."twice" DROP CONSTRAINT IF EXISTS "twice_b_key"
  undo: DO $pgsluice_$BEGIN
IF EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	WHERE i.indrelid OPERATOR(pg_catalog.=) N::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) $pgsluice$twice_b_key$pgsluice$) THEN
EXECUTE $pgsluice$DROP INDEX "public"."twice_b_key"$pgsluice$;
END IF;
END$pgsluice_$
  alone: CREATE UNIQUE INDEX CONCURRENTLY "twice_b_key" ON "public"."twice" ("b")
    on public.twice [2=b]
    index public.twice_b_key
  after commit: ALTER TABLE "public"."twice" ADD CONSTRAINT "twice_b_key" UNIQUE USING INDEX "twice_b_key"
    on public.twice [2=b], lock budget

refused major=15
ALTER TABLE twice ADD CONSTRAINT once UNIQUE NULLS NOT DISTINCT (b)
----
23505 could not create unique index "once"
Key ("b")=(null) is duplicated.
