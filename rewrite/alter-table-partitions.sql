setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1), (2);
CREATE TABLE events (at int NOT NULL, user_id int, kind text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10); CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (at);
CREATE TABLE events_2a PARTITION OF events_2 FOR VALUES FROM (10) TO (15); CREATE TABLE events_2b PARTITION OF events_2 DEFAULT;
INSERT INTO events VALUES (1, 1, 'a'), (11, 2, 'b'), (16, 1, 'c')
----

plan before=18
ALTER TABLE events ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
----
ALTER TABLE: adding "events_user_id_fkey" to the partitions of "events" one by one, and then to the table
  check 23503 insert or update on table "events" violates foreign key constraint "events_user_id_fkey"
    WITH k(c1) AS MATERIALIZED (SELECT "user_id" FROM "public"."events" AS c WHERE "user_id" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "public"."users" AS p WHERE p."id" OPERATOR(pg_catalog.=) c."user_id")) SELECT pg_catalog.concat('Key (user_id)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ') is not present in table "users".') FROM k LIMIT 1
  after commit: ALTER TABLE "public"."events_1" ADD CONSTRAINT "events_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID
    on public.events_1 and public.users [1=id], lock budget
  after commit: ALTER TABLE "public"."events_1" VALIDATE CONSTRAINT "events_user_id_fkey"
    on public.events_1 and public.users [1=id]
  after commit: ALTER TABLE "public"."events_2a" ADD CONSTRAINT "events_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID
    on public.events_2a and public.users [1=id], lock budget
  after commit: ALTER TABLE "public"."events_2a" VALIDATE CONSTRAINT "events_user_id_fkey"
    on public.events_2a and public.users [1=id]
  after commit: ALTER TABLE "public"."events_2b" ADD CONSTRAINT "events_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID
    on public.events_2b and public.users [1=id], lock budget
  after commit: ALTER TABLE "public"."events_2b" VALIDATE CONSTRAINT "events_user_id_fkey"
    on public.events_2b and public.users [1=id]
  after commit: ALTER TABLE "public"."events" ADD CONSTRAINT "events_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
    on public.events [2=user_id] and public.users [1=id], lock budget

plan before=18
ALTER TABLE events ADD COLUMN other int DEFAULT 1 REFERENCES users, ADD CHECK (at > 0)
----
ALTER TABLE: adding "events_other_fkey" to the partitions of "events" one by one, and then to the table; adding "events_at_check" to "events" NOT VALID, validating afterwards
  check 23514 check constraint "events_at_check" of relation "events" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."events" WHERE NOT (at > 0
    )) SELECT found FROM k LIMIT 1
  in place: ALTER TABLE events ADD COLUMN other int DEFAULT 1, ADD CONSTRAINT "events_at_check" CHECK (at > 0) NOT VALID
    on public.events and public.users, lock budget
  after commit: ALTER TABLE "public"."events_1" ADD CONSTRAINT "events_other_fkey" FOREIGN KEY ("other") REFERENCES users NOT VALID
    on public.events_1 and public.users [1=id], lock budget
  after commit: ALTER TABLE "public"."events_1" VALIDATE CONSTRAINT "events_other_fkey"
    on public.events_1 and public.users [1=id]
  after commit: ALTER TABLE "public"."events_2a" ADD CONSTRAINT "events_other_fkey" FOREIGN KEY ("other") REFERENCES users NOT VALID
    on public.events_2a and public.users [1=id], lock budget
  after commit: ALTER TABLE "public"."events_2a" VALIDATE CONSTRAINT "events_other_fkey"
    on public.events_2a and public.users [1=id]
  after commit: ALTER TABLE "public"."events_2b" ADD CONSTRAINT "events_other_fkey" FOREIGN KEY ("other") REFERENCES users NOT VALID
    on public.events_2b and public.users [1=id], lock budget
  after commit: ALTER TABLE "public"."events_2b" VALIDATE CONSTRAINT "events_other_fkey"
    on public.events_2b and public.users [1=id]
  after commit: ALTER TABLE "public"."events" ADD CONSTRAINT "events_other_fkey" FOREIGN KEY ("other") REFERENCES users
    on public.events and public.users [1=id], lock budget
  after commit: ALTER TABLE "public"."events" VALIDATE CONSTRAINT "events_at_check"
    on public.events [1=at]

plan
ALTER TABLE events ADD UNIQUE (at, user_id)
----
ALTER TABLE: building "events_at_user_id_key" on the partitions of "events" one by one, concurrently
  probe
  check 55000 pgsluice: the partitions of "events" are not those that index "events_at_user_id_key" was planned for; run the migration again
    WITH RECURSIVE tree(oid) AS (SELECT N::pg_catalog.oid UNION ALL SELECT h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid) SELECT pg_catalog.format('Partition %s is new.', t.oid::pg_catalog.regclass) FROM tree t WHERE t.oid OPERATOR(pg_catalog.<>) ALL (N::pg_catalog.oid[]) LIMIT 1
  check 23505 could not create unique index "events_at_user_id_key"
    SELECT pg_catalog.concat('Key ("at", "user_id")=(', COALESCE(("at"
    )::pg_catalog.text, 'null'), ', ', COALESCE(("user_id"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM "public"."events" WHERE ("at"
    ) IS NOT NULL AND ("user_id"
    ) IS NOT NULL GROUP BY "at"
    , "user_id"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  after commit: ALTER TABLE ONLY "public"."events" ADD CONSTRAINT "events_at_user_id_key" UNIQUE ("at", "user_id")
    on public.events [1=at 2=user_id], lock budget
    index public.events_at_user_id_key
  alone: CREATE UNIQUE INDEX CONCURRENTLY "events_1_at_user_id_key" ON "public"."events_1" ("at", "user_id")
    on public.events_1
    index public.events_1_at_user_id_key
  after commit: ALTER TABLE "public"."events_1" ADD CONSTRAINT "events_1_at_user_id_key" UNIQUE USING INDEX "events_1_at_user_id_key"
    on public.events_1, lock budget
  after commit: ALTER INDEX "public"."events_at_user_id_key" ATTACH PARTITION "public"."events_1_at_user_id_key"
    on public.events_1, lock budget
  after commit: ALTER TABLE ONLY "public"."events_2" ADD CONSTRAINT "events_2_at_user_id_key" UNIQUE ("at", "user_id")
    on public.events_2, lock budget
    index public.events_2_at_user_id_key
  alone: CREATE UNIQUE INDEX CONCURRENTLY "events_2a_at_user_id_key" ON "public"."events_2a" ("at", "user_id")
    on public.events_2a
    index public.events_2a_at_user_id_key
  after commit: ALTER TABLE "public"."events_2a" ADD CONSTRAINT "events_2a_at_user_id_key" UNIQUE USING INDEX "events_2a_at_user_id_key"
    on public.events_2a, lock budget
  after commit: ALTER INDEX "public"."events_2_at_user_id_key" ATTACH PARTITION "public"."events_2a_at_user_id_key"
    on public.events_2a, lock budget
  alone: CREATE UNIQUE INDEX CONCURRENTLY "events_2b_at_user_id_key" ON "public"."events_2b" ("at", "user_id")
    on public.events_2b
    index public.events_2b_at_user_id_key
  after commit: ALTER TABLE "public"."events_2b" ADD CONSTRAINT "events_2b_at_user_id_key" UNIQUE USING INDEX "events_2b_at_user_id_key"
    on public.events_2b, lock budget
  after commit: ALTER INDEX "public"."events_2_at_user_id_key" ATTACH PARTITION "public"."events_2b_at_user_id_key"
    on public.events_2b, lock budget
  after commit: ALTER INDEX "public"."events_at_user_id_key" ATTACH PARTITION "public"."events_2_at_user_id_key"
    on public.events_2, lock budget

plan before=18
ALTER TABLE events ADD CONSTRAINT events_key PRIMARY KEY (at, kind) DEFERRABLE
----
ALTER TABLE: checking that "kind" of "events" has no NULL before making it NOT NULL; building "events_key" on the partitions of "events" one by one, concurrently
  probe
  check 23502 column "kind" of relation "events" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."events" WHERE "kind" IS NULL) SELECT found FROM k LIMIT 1
  check 55000 pgsluice: the partitions of "events" are not those that index "events_key" was planned for; run the migration again
    WITH RECURSIVE tree(oid) AS (SELECT N::pg_catalog.oid UNION ALL SELECT h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid) SELECT pg_catalog.format('Partition %s is new.', t.oid::pg_catalog.regclass) FROM tree t WHERE t.oid OPERATOR(pg_catalog.<>) ALL (N::pg_catalog.oid[]) LIMIT 1
  check 23505 could not create unique index "events_key"
    SELECT pg_catalog.concat('Key ("at", "kind")=(', COALESCE(("at"
    )::pg_catalog.text, 'null'), ', ', COALESCE(("kind"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM "public"."events" WHERE ("at"
    ) IS NOT NULL AND ("kind"
    ) IS NOT NULL GROUP BY "at"
    , "kind"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  in place: ALTER TABLE events ADD CONSTRAINT "pgsluice_kind_not_null" CHECK ("kind" IS NOT NULL) NOT VALID
    on public.events, lock budget
    helper pgsluice_kind_not_null
  after commit: ALTER TABLE "public"."events" VALIDATE CONSTRAINT "pgsluice_kind_not_null"
    on public.events [3=kind]
  after commit: ALTER TABLE "public"."events" ALTER COLUMN "kind" SET NOT NULL
    then ALTER TABLE "public"."events" DROP CONSTRAINT "pgsluice_kind_not_null"
    on public.events [3=kind], lock budget
    helper pgsluice_kind_not_null, dropped
  after commit: ALTER TABLE ONLY "public"."events" ADD CONSTRAINT "events_key" PRIMARY KEY ("at", "kind") DEFERRABLE
    on public.events [1=at 3=kind], lock budget
    index public.events_key
  alone: CREATE UNIQUE INDEX CONCURRENTLY "events_1_pkey" ON "public"."events_1" ("at", "kind")
    on public.events_1
    index public.events_1_pkey
  after commit: ALTER TABLE "public"."events_1" ADD CONSTRAINT "events_1_pkey" PRIMARY KEY USING INDEX "events_1_pkey" DEFERRABLE
    on public.events_1, lock budget
  after commit: ALTER INDEX "public"."events_key" ATTACH PARTITION "public"."events_1_pkey"
    on public.events_1, lock budget
  after commit: ALTER TABLE ONLY "public"."events_2" ADD CONSTRAINT "events_2_pkey" PRIMARY KEY ("at", "kind") DEFERRABLE
    on public.events_2, lock budget
    index public.events_2_pkey
  alone: CREATE UNIQUE INDEX CONCURRENTLY "events_2a_pkey" ON "public"."events_2a" ("at", "kind")
    on public.events_2a
    index public.events_2a_pkey
  after commit: ALTER TABLE "public"."events_2a" ADD CONSTRAINT "events_2a_pkey" PRIMARY KEY USING INDEX "events_2a_pkey" DEFERRABLE
    on public.events_2a, lock budget
  after commit: ALTER INDEX "public"."events_2_pkey" ATTACH PARTITION "public"."events_2a_pkey"
    on public.events_2a, lock budget
  alone: CREATE UNIQUE INDEX CONCURRENTLY "events_2b_pkey" ON "public"."events_2b" ("at", "kind")
    on public.events_2b
    index public.events_2b_pkey
  after commit: ALTER TABLE "public"."events_2b" ADD CONSTRAINT "events_2b_pkey" PRIMARY KEY USING INDEX "events_2b_pkey" DEFERRABLE
    on public.events_2b, lock budget
  after commit: ALTER INDEX "public"."events_2_pkey" ATTACH PARTITION "public"."events_2b_pkey"
    on public.events_2b, lock budget
  after commit: ALTER INDEX "public"."events_key" ATTACH PARTITION "public"."events_2_pkey"
    on public.events_2, lock budget

plan major=18
ALTER TABLE events ADD CONSTRAINT events_key PRIMARY KEY (at, kind) DEFERRABLE
----
ALTER TABLE: checking that "kind" of "events" has no NULL before making it NOT NULL; building "events_key" on the partitions of "events" one by one, concurrently
  probe
  check 23502 column "kind" of relation "events" contains null values
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist have none.' FROM "public"."events" WHERE "kind" IS NULL) SELECT found FROM k LIMIT 1
  check 55000 pgsluice: the partitions of "events" are not those that index "events_key" was planned for; run the migration again
    WITH RECURSIVE tree(oid) AS (SELECT N::pg_catalog.oid UNION ALL SELECT h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid) SELECT pg_catalog.format('Partition %s is new.', t.oid::pg_catalog.regclass) FROM tree t WHERE t.oid OPERATOR(pg_catalog.<>) ALL (N::pg_catalog.oid[]) LIMIT 1
  check 23505 could not create unique index "events_key"
    SELECT pg_catalog.concat('Key ("at", "kind")=(', COALESCE(("at"
    )::pg_catalog.text, 'null'), ', ', COALESCE(("kind"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM "public"."events" WHERE ("at"
    ) IS NOT NULL AND ("kind"
    ) IS NOT NULL GROUP BY "at"
    , "kind"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  in place: ALTER TABLE events ADD CONSTRAINT "events_kind_not_null" NOT NULL "kind" NOT VALID
    on public.events, lock budget
  after commit: ALTER TABLE "public"."events" VALIDATE CONSTRAINT "events_kind_not_null"
    on public.events [3=kind]
  after commit: ALTER TABLE ONLY "public"."events" ADD CONSTRAINT "events_key" PRIMARY KEY ("at", "kind") DEFERRABLE
    on public.events [1=at 3=kind], lock budget
    index public.events_key
  alone: CREATE UNIQUE INDEX CONCURRENTLY "events_1_pkey" ON "public"."events_1" ("at", "kind")
    on public.events_1
    index public.events_1_pkey
  after commit: ALTER TABLE "public"."events_1" ADD CONSTRAINT "events_1_pkey" PRIMARY KEY USING INDEX "events_1_pkey" DEFERRABLE
    on public.events_1, lock budget
  after commit: ALTER INDEX "public"."events_key" ATTACH PARTITION "public"."events_1_pkey"
    on public.events_1, lock budget
  after commit: ALTER TABLE ONLY "public"."events_2" ADD CONSTRAINT "events_2_pkey" PRIMARY KEY ("at", "kind") DEFERRABLE
    on public.events_2, lock budget
    index public.events_2_pkey
  alone: CREATE UNIQUE INDEX CONCURRENTLY "events_2a_pkey" ON "public"."events_2a" ("at", "kind")
    on public.events_2a
    index public.events_2a_pkey
  after commit: ALTER TABLE "public"."events_2a" ADD CONSTRAINT "events_2a_pkey" PRIMARY KEY USING INDEX "events_2a_pkey" DEFERRABLE
    on public.events_2a, lock budget
  after commit: ALTER INDEX "public"."events_2_pkey" ATTACH PARTITION "public"."events_2a_pkey"
    on public.events_2a, lock budget
  alone: CREATE UNIQUE INDEX CONCURRENTLY "events_2b_pkey" ON "public"."events_2b" ("at", "kind")
    on public.events_2b
    index public.events_2b_pkey
  after commit: ALTER TABLE "public"."events_2b" ADD CONSTRAINT "events_2b_pkey" PRIMARY KEY USING INDEX "events_2b_pkey" DEFERRABLE
    on public.events_2b, lock budget
  after commit: ALTER INDEX "public"."events_2_pkey" ATTACH PARTITION "public"."events_2b_pkey"
    on public.events_2b, lock budget
  after commit: ALTER INDEX "public"."events_key" ATTACH PARTITION "public"."events_2_pkey"
    on public.events_2, lock budget

unplanned
ALTER TABLE events ADD UNIQUE (kind)
----
add all columns of the partition key to the new key of "events": the server needs them

# The server builds nothing here.
setup
CREATE TABLE none (a int) PARTITION BY RANGE (a)
----

plan
ALTER TABLE none ADD UNIQUE (a)
----
ALTER TABLE
  in place: (as it is)
    on public.none, lock budget, client's text

plan
ALTER TABLE ONLY events ADD UNIQUE (at, kind, user_id)
----
ALTER TABLE
  in place: (as it is)
    on public.events, lock budget, client's text

# A partition whose key is another is no shortcut.
setup
CREATE TABLE visits (at int NOT NULL, user_id int) PARTITION BY RANGE (at); CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (1) TO (10);
CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM (10) TO (20); INSERT INTO visits VALUES (1, 1), (11, 2);
ALTER TABLE visits_1 ADD CONSTRAINT user_key FOREIGN KEY (user_id) REFERENCES users; ALTER TABLE visits_2 ADD CONSTRAINT user_key FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE DEFERRABLE
----

plan before=18
ALTER TABLE visits ADD CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE DEFERRABLE
----
ALTER TABLE: adding "of_user" to the partitions of "visits" one by one, and then to the table
  check 23503 insert or update on table "visits" violates foreign key constraint "of_user"
    WITH k(c1) AS MATERIALIZED (SELECT "user_id" FROM "public"."visits" AS c WHERE "user_id" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "public"."users" AS p WHERE p."id" OPERATOR(pg_catalog.=) c."user_id")) SELECT pg_catalog.concat('Key (user_id)=(', COALESCE((c1
    )::pg_catalog.text, 'null'), ') is not present in table "users".') FROM k LIMIT 1
  after commit: ALTER TABLE "public"."visits_1" ADD CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE DEFERRABLE NOT VALID
    on public.visits_1 and public.users [1=id], lock budget
  after commit: ALTER TABLE "public"."visits_1" VALIDATE CONSTRAINT "of_user"
    on public.visits_1 and public.users [1=id]
  after commit: ALTER TABLE "public"."visits" ADD CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE DEFERRABLE
    on public.visits [2=user_id] and public.users [1=id], lock budget

unplanned before=18
ALTER TABLE visits ADD CONSTRAINT user_key FOREIGN KEY (user_id) REFERENCES users ON DELETE RESTRICT
----
partition "visits_1" has a foreign key "user_key" that is another; drop it first, or give this one another name

# What is in a foreign table the server takes as it is: nobody looks into it.
setup
CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE TABLE far (a int, b text) PARTITION BY LIST (a); CREATE FOREIGN TABLE far_1 PARTITION OF far FOR VALUES IN (1) SERVER nowhere;
CREATE TABLE near PARTITION OF far FOR VALUES IN (2); INSERT INTO far SELECT 2, 'x' FROM generate_series(1, 20)
----

plan before=18
ALTER TABLE far ALTER b SET NOT NULL, ADD CONSTRAINT filled CHECK (b <> '')
----
ALTER TABLE: checking that "b" of "far" has no NULL before making it NOT NULL; adding "filled" to "far" NOT VALID, validating afterwards
  undo: ALTER TABLE "public"."far" ALTER COLUMN "b" DROP NOT NULL, DROP CONSTRAINT IF EXISTS "pgsluice_b_not_null", DROP CONSTRAINT IF EXISTS "filled"
  in place: ALTER TABLE far ADD CONSTRAINT "pgsluice_b_not_null" CHECK ("b" IS NOT NULL) NOT VALID, ADD CONSTRAINT filled CHECK (b <> '') NOT VALID
    on public.far, lock budget
    helper pgsluice_b_not_null
  after commit: ALTER TABLE "public"."far" VALIDATE CONSTRAINT "pgsluice_b_not_null"
    on public.far [2=b]
  after commit: ALTER TABLE "public"."far" ALTER COLUMN "b" SET NOT NULL
    then ALTER TABLE "public"."far" DROP CONSTRAINT "pgsluice_b_not_null"
    on public.far [2=b], lock budget
    helper pgsluice_b_not_null, dropped
  after commit: ALTER TABLE "public"."far" VALIDATE CONSTRAINT "filled"
    on public.far [2=b]
