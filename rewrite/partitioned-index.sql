setup
CREATE TABLE events (id int, at int, what text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (1000);
CREATE TABLE "Events 2" (what text, gone int, id int, at int) PARTITION BY LIST (id);
ALTER TABLE "Events 2" DROP COLUMN gone; ALTER TABLE events ATTACH PARTITION "Events 2" FOR VALUES FROM (1000) TO (2000);
CREATE TABLE events_2_1 PARTITION OF "Events 2" FOR VALUES IN (1);
CREATE TABLE events_2_2 PARTITION OF "Events 2" DEFAULT;
INSERT INTO events SELECT g % 3, g, g::text FROM generate_series(1, 1999) g
----

# The names are those that the server would have chosen.
plan recipe=index-not-concurrent
CREATE INDEX ON events (what)
----
CREATE INDEX: building index "events_what_idx" on "events" one partition after the other, concurrently
  probe
  check 55000 pgsluice: the partitions of "events" are not those that index "events_what_idx" was planned for; run the migration again
    WITH RECURSIVE tree(oid) AS (SELECT N::pg_catalog.oid UNION ALL SELECT h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid) SELECT pg_catalog.format('Partition %s is new.', t.oid::pg_catalog.regclass) FROM tree t WHERE t.oid OPERATOR(pg_catalog.<>) ALL (N::pg_catalog.oid[]) LIMIT 1
  after commit: CREATE INDEX "events_what_idx" ON ONLY "public"."events" (what)
    on public.events [3=what], lock budget
    index public.events_what_idx
  after commit: CREATE INDEX "Events 2_what_idx" ON ONLY "public"."Events 2" (what)
    on public.Events 2 [1=what], lock budget
    index public.Events 2_what_idx
  after commit: ALTER INDEX "public"."events_what_idx" ATTACH PARTITION "public"."Events 2_what_idx"
    on public.Events 2 and public.events, lock budget
  alone: CREATE INDEX CONCURRENTLY "events_2_1_what_idx" ON "public"."events_2_1" (what)
    on public.events_2_1 [1=what]
    index public.events_2_1_what_idx
  after commit: ALTER INDEX "public"."Events 2_what_idx" ATTACH PARTITION "public"."events_2_1_what_idx"
    on public.events_2_1 and public.Events 2, lock budget
  alone: CREATE INDEX CONCURRENTLY "events_2_2_what_idx" ON "public"."events_2_2" (what)
    on public.events_2_2 [1=what]
    index public.events_2_2_what_idx
  after commit: ALTER INDEX "public"."Events 2_what_idx" ATTACH PARTITION "public"."events_2_2_what_idx"
    on public.events_2_2 and public.Events 2, lock budget
  alone: CREATE INDEX CONCURRENTLY "events_1_what_idx" ON "public"."events_1" (what)
    on public.events_1 [3=what]
    index public.events_1_what_idx
  after commit: ALTER INDEX "public"."events_what_idx" ATTACH PARTITION "public"."events_1_what_idx"
    on public.events_1 and public.events, lock budget

plan recipe=index-not-concurrent
create unique index /* why */ "Events Key" on public.events using btree (lower(what), at desc, id) include (what) with (fillfactor = 70) where at > 5 -- end
----
CREATE INDEX: building index "Events Key" on "events" one partition after the other, concurrently
  probe
  check 23505 could not create unique index "events_2_1_lower_at_id_what_idx"
    SELECT pg_catalog.concat('Key (lower(what), at, id)=(', COALESCE((lower(what)
    )::pg_catalog.text, 'null'), ', ', COALESCE((at
    )::pg_catalog.text, 'null'), ', ', COALESCE((id
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."events_2_1" WHERE (at > 5
    ) AND (lower(what)
    ) IS NOT NULL AND (at
    ) IS NOT NULL AND (id
    ) IS NOT NULL GROUP BY lower(what)
    , at
    , id
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  check 23505 could not create unique index "events_2_2_lower_at_id_what_idx"
    SELECT pg_catalog.concat('Key (lower(what), at, id)=(', COALESCE((lower(what)
    )::pg_catalog.text, 'null'), ', ', COALESCE((at
    )::pg_catalog.text, 'null'), ', ', COALESCE((id
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."events_2_2" WHERE (at > 5
    ) AND (lower(what)
    ) IS NOT NULL AND (at
    ) IS NOT NULL AND (id
    ) IS NOT NULL GROUP BY lower(what)
    , at
    , id
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  check 23505 could not create unique index "events_1_lower_at_id_what_idx"
    SELECT pg_catalog.concat('Key (lower(what), at, id)=(', COALESCE((lower(what)
    )::pg_catalog.text, 'null'), ', ', COALESCE((at
    )::pg_catalog.text, 'null'), ', ', COALESCE((id
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."events_1" WHERE (at > 5
    ) AND (lower(what)
    ) IS NOT NULL AND (at
    ) IS NOT NULL AND (id
    ) IS NOT NULL GROUP BY lower(what)
    , at
    , id
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  check 55000 pgsluice: the partitions of "events" are not those that index "Events Key" was planned for; run the migration again
    WITH RECURSIVE tree(oid) AS (SELECT N::pg_catalog.oid UNION ALL SELECT h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid) SELECT pg_catalog.format('Partition %s is new.', t.oid::pg_catalog.regclass) FROM tree t WHERE t.oid OPERATOR(pg_catalog.<>) ALL (N::pg_catalog.oid[]) LIMIT 1
  after commit: create unique index /* why */ "Events Key" on ONLY "public"."events" using btree (lower(what), at desc, id) include (what) with (fillfactor = 70) where at > 5
    on public.events [1=id 2=at 3=what], lock budget
    index public.Events Key
  after commit: create unique index /* why */ "Events 2_lower_at_id_what_idx" on ONLY "public"."Events 2" using btree (lower(what), at desc, id) include (what) with (fillfactor = 70) where at > 5
    on public.Events 2 [1=what 3=id 4=at], lock budget
    index public.Events 2_lower_at_id_what_idx
  after commit: ALTER INDEX "public"."Events Key" ATTACH PARTITION "public"."Events 2_lower_at_id_what_idx"
    on public.Events 2 and public.events, lock budget
  alone: create unique index CONCURRENTLY /* why */ "events_2_1_lower_at_id_what_idx" on "public"."events_2_1" using btree (lower(what), at desc, id) include (what) with (fillfactor = 70) where at > 5
    on public.events_2_1 [1=what 2=id 3=at]
    index public.events_2_1_lower_at_id_what_idx
  after commit: ALTER INDEX "public"."Events 2_lower_at_id_what_idx" ATTACH PARTITION "public"."events_2_1_lower_at_id_what_idx"
    on public.events_2_1 and public.Events 2, lock budget
  alone: create unique index CONCURRENTLY /* why */ "events_2_2_lower_at_id_what_idx" on "public"."events_2_2" using btree (lower(what), at desc, id) include (what) with (fillfactor = 70) where at > 5
    on public.events_2_2 [1=what 2=id 3=at]
    index public.events_2_2_lower_at_id_what_idx
  after commit: ALTER INDEX "public"."Events 2_lower_at_id_what_idx" ATTACH PARTITION "public"."events_2_2_lower_at_id_what_idx"
    on public.events_2_2 and public.Events 2, lock budget
  alone: create unique index CONCURRENTLY /* why */ "events_1_lower_at_id_what_idx" on "public"."events_1" using btree (lower(what), at desc, id) include (what) with (fillfactor = 70) where at > 5
    on public.events_1 [1=id 2=at 3=what]
    index public.events_1_lower_at_id_what_idx
  after commit: ALTER INDEX "public"."Events Key" ATTACH PARTITION "public"."events_1_lower_at_id_what_idx"
    on public.events_1 and public.events, lock budget

# A partition that has an index like it keeps it: the server compares neither names nor the order of the keys' values. One that is behind a
# constraint will do, too. Nothing is built twice.
setup
CREATE UNIQUE INDEX wanted ON events_1 (at DESC, id); CREATE UNIQUE INDEX other ON events_2_1 (at, id) WHERE at > 1;
CREATE UNIQUE INDEX partly ON events_2_1 (id, at); ALTER TABLE events_2_2 ADD CONSTRAINT known UNIQUE (at, id)
----

plan recipe=index-not-concurrent
CREATE UNIQUE INDEX ON events (at, id)
----
CREATE INDEX: building index "events_at_id_idx" on "events" one partition after the other, concurrently
  probe
  check 23505 could not create unique index "events_2_1_at_id_idx"
    SELECT pg_catalog.concat('Key (at, id)=(', COALESCE((at
    )::pg_catalog.text, 'null'), ', ', COALESCE((id
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."events_2_1" WHERE (at
    ) IS NOT NULL AND (id
    ) IS NOT NULL GROUP BY at
    , id
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  check 23505 could not create unique index "events_2_2_at_id_idx"
    SELECT pg_catalog.concat('Key (at, id)=(', COALESCE((at
    )::pg_catalog.text, 'null'), ', ', COALESCE((id
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."events_2_2" WHERE (at
    ) IS NOT NULL AND (id
    ) IS NOT NULL GROUP BY at
    , id
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  check 23505 could not create unique index "events_1_at_id_idx"
    SELECT pg_catalog.concat('Key (at, id)=(', COALESCE((at
    )::pg_catalog.text, 'null'), ', ', COALESCE((id
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."events_1" WHERE (at
    ) IS NOT NULL AND (id
    ) IS NOT NULL GROUP BY at
    , id
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  check 55000 pgsluice: the partitions of "events" are not those that index "events_at_id_idx" was planned for; run the migration again
    WITH RECURSIVE tree(oid) AS (SELECT N::pg_catalog.oid UNION ALL SELECT h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid) SELECT pg_catalog.format('Partition %s is new.', t.oid::pg_catalog.regclass) FROM tree t WHERE t.oid OPERATOR(pg_catalog.<>) ALL (N::pg_catalog.oid[]) LIMIT 1
  after commit: CREATE UNIQUE INDEX "events_at_id_idx" ON ONLY "public"."events" (at, id)
    on public.events [1=id 2=at], lock budget
    index public.events_at_id_idx
  after commit: CREATE UNIQUE INDEX "Events 2_at_id_idx" ON ONLY "public"."Events 2" (at, id)
    on public.Events 2 [3=id 4=at], lock budget
    index public.Events 2_at_id_idx
  after commit: ALTER INDEX "public"."events_at_id_idx" ATTACH PARTITION "public"."Events 2_at_id_idx"
    on public.Events 2 and public.events, lock budget
  alone: CREATE UNIQUE INDEX CONCURRENTLY "events_2_1_at_id_idx" ON "public"."events_2_1" (at, id)
    on public.events_2_1 [2=id 3=at]
    index public.events_2_1_at_id_idx
  after commit: ALTER INDEX "public"."Events 2_at_id_idx" ATTACH PARTITION "public"."events_2_1_at_id_idx"
    on public.events_2_1 and public.Events 2, lock budget
  after commit: ALTER INDEX "public"."Events 2_at_id_idx" ATTACH PARTITION "public"."known"
    on public.events_2_2 and public.Events 2, lock budget
  alone: CREATE UNIQUE INDEX CONCURRENTLY "events_2_2_at_id_idx" ON "public"."events_2_2" (at, id)
    on public.events_2_2 [2=id 3=at], found done
    index public.events_2_2_at_id_idx
  after commit: ALTER INDEX "public"."Events 2_at_id_idx" ATTACH PARTITION "public"."events_2_2_at_id_idx"
    on public.events_2_2 and public.Events 2, lock budget, found done
  after commit: ALTER INDEX "public"."events_at_id_idx" ATTACH PARTITION "public"."wanted"
    on public.events_1 and public.events, lock budget
  alone: CREATE UNIQUE INDEX CONCURRENTLY "events_1_at_id_idx" ON "public"."events_1" (at, id)
    on public.events_1 [1=id 2=at], found done
    index public.events_1_at_id_idx
  after commit: ALTER INDEX "public"."events_at_id_idx" ATTACH PARTITION "public"."events_1_at_id_idx"
    on public.events_1 and public.events, lock budget, found done

# A part of the tree has it.
setup
CREATE INDEX "Part" ON "Events 2" (lower(what)); CREATE INDEX near ON events_1 (upper(what))
----

plan recipe=index-not-concurrent
CREATE INDEX whole ON events (lower(what))
----
CREATE INDEX: building index "whole" on "events" one partition after the other, concurrently
  probe
  check 55000 pgsluice: the partitions of "events" are not those that index "whole" was planned for; run the migration again
    WITH RECURSIVE tree(oid) AS (SELECT N::pg_catalog.oid UNION ALL SELECT h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid) SELECT pg_catalog.format('Partition %s is new.', t.oid::pg_catalog.regclass) FROM tree t WHERE t.oid OPERATOR(pg_catalog.<>) ALL (N::pg_catalog.oid[]) LIMIT 1
  after commit: CREATE INDEX whole ON ONLY "public"."events" (lower(what))
    on public.events [3=what], lock budget
    index public.whole
  after commit: ALTER INDEX "public"."whole" ATTACH PARTITION "public"."Part"
    on public.Events 2 and public.events, lock budget
  after commit: CREATE INDEX "Events 2_lower_idx" ON ONLY "public"."Events 2" (lower(what))
    on public.Events 2 [1=what], lock budget, found done
    index public.Events 2_lower_idx
  after commit: ALTER INDEX "public"."whole" ATTACH PARTITION "public"."Events 2_lower_idx"
    on public.Events 2 and public.events, lock budget, found done
  alone: CREATE INDEX CONCURRENTLY "events_2_1_lower_idx1" ON "public"."events_2_1" (lower(what))
    on public.events_2_1 [1=what], found done
    index public.events_2_1_lower_idx1
  after commit: ALTER INDEX "public"."Events 2_lower_idx" ATTACH PARTITION "public"."events_2_1_lower_idx1"
    on public.events_2_1 and public.Events 2, lock budget, found done
  alone: CREATE INDEX CONCURRENTLY "events_2_2_lower_idx1" ON "public"."events_2_2" (lower(what))
    on public.events_2_2 [1=what], found done
    index public.events_2_2_lower_idx1
  after commit: ALTER INDEX "public"."Events 2_lower_idx" ATTACH PARTITION "public"."events_2_2_lower_idx1"
    on public.events_2_2 and public.Events 2, lock budget, found done
  after commit: ALTER INDEX "public"."whole" ATTACH PARTITION "public"."near"
    on public.events_1 and public.events, lock budget, found done
  alone: CREATE INDEX CONCURRENTLY "events_1_lower_idx" ON "public"."events_1" (lower(what))
    on public.events_1 [3=what]
    index public.events_1_lower_idx
  after commit: ALTER INDEX "public"."whole" ATTACH PARTITION "public"."events_1_lower_idx"
    on public.events_1 and public.events, lock budget

# What an earlier try has left is used.
begun
CREATE INDEX halfway ON ONLY events (id); CREATE INDEX events_1_id_idx ON events_1 (id); ALTER INDEX halfway ATTACH PARTITION events_1_id_idx;
CREATE INDEX "Events 2_id_idx" ON ONLY "Events 2" (id); CREATE INDEX events_2_1_id_idx ON events_2_1 (id)
----

plan recipe=index-not-concurrent
CREATE INDEX halfway ON events (id)
----
CREATE INDEX: building index "halfway" on "events" one partition after the other, concurrently
  probe
  check 55000 pgsluice: the partitions of "events" are not those that index "halfway" was planned for; run the migration again
    WITH RECURSIVE tree(oid) AS (SELECT N::pg_catalog.oid UNION ALL SELECT h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid) SELECT pg_catalog.format('Partition %s is new.', t.oid::pg_catalog.regclass) FROM tree t WHERE t.oid OPERATOR(pg_catalog.<>) ALL (N::pg_catalog.oid[]) LIMIT 1
  after commit: CREATE INDEX halfway ON ONLY "public"."events" (id)
    on public.events [1=id], lock budget, found done
    index public.halfway
  after commit: CREATE INDEX "Events 2_id_idx" ON ONLY "public"."Events 2" (id)
    on public.Events 2 [3=id], lock budget, found done
    index public.Events 2_id_idx
  after commit: ALTER INDEX "public"."halfway" ATTACH PARTITION "public"."Events 2_id_idx"
    on public.Events 2 and public.events, lock budget
  after commit: ALTER INDEX "public"."Events 2_id_idx" ATTACH PARTITION "public"."events_2_1_id_idx"
    on public.events_2_1 and public.Events 2, lock budget
  alone: CREATE INDEX CONCURRENTLY "events_2_1_id_idx1" ON "public"."events_2_1" (id)
    on public.events_2_1 [2=id], found done
    index public.events_2_1_id_idx1
  after commit: ALTER INDEX "public"."Events 2_id_idx" ATTACH PARTITION "public"."events_2_1_id_idx1"
    on public.events_2_1 and public.Events 2, lock budget, found done
  alone: CREATE INDEX CONCURRENTLY "events_2_2_id_idx" ON "public"."events_2_2" (id)
    on public.events_2_2 [2=id]
    index public.events_2_2_id_idx
  after commit: ALTER INDEX "public"."Events 2_id_idx" ATTACH PARTITION "public"."events_2_2_id_idx"
    on public.events_2_2 and public.Events 2, lock budget

# So it is if the statement does not name it, and only an attachment is missing.
begun
CREATE INDEX events_id_at_idx ON ONLY events (id, at); CREATE INDEX events_1_id_at_idx ON events_1 (id, at); ALTER INDEX events_id_at_idx ATTACH PARTITION events_1_id_at_idx;
CREATE INDEX "Events 2_id_at_idx" ON ONLY "Events 2" (id, at); ALTER INDEX events_id_at_idx ATTACH PARTITION "Events 2_id_at_idx";
CREATE INDEX events_2_1_id_at_idx ON events_2_1 (id, at); ALTER INDEX "Events 2_id_at_idx" ATTACH PARTITION events_2_1_id_at_idx;
CREATE INDEX events_2_2_id_at_idx ON events_2_2 (id, at)
----

plan recipe=index-not-concurrent
CREATE INDEX ON events (id, at)
----
CREATE INDEX: building index "events_id_at_idx" on "events" one partition after the other, concurrently
  probe
  check 55000 pgsluice: the partitions of "events" are not those that index "events_id_at_idx" was planned for; run the migration again
    WITH RECURSIVE tree(oid) AS (SELECT N::pg_catalog.oid UNION ALL SELECT h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid) SELECT pg_catalog.format('Partition %s is new.', t.oid::pg_catalog.regclass) FROM tree t WHERE t.oid OPERATOR(pg_catalog.<>) ALL (N::pg_catalog.oid[]) LIMIT 1
  after commit: CREATE INDEX "events_id_at_idx" ON ONLY "public"."events" (id, at)
    on public.events [1=id 2=at], lock budget, found done
    index public.events_id_at_idx
  after commit: ALTER INDEX "public"."Events 2_id_at_idx" ATTACH PARTITION "public"."events_2_2_id_at_idx"
    on public.events_2_2 and public.Events 2, lock budget
  alone: CREATE INDEX CONCURRENTLY "events_2_2_id_at_idx1" ON "public"."events_2_2" (id, at)
    on public.events_2_2 [2=id 3=at], found done
    index public.events_2_2_id_at_idx1
  after commit: ALTER INDEX "public"."Events 2_id_at_idx" ATTACH PARTITION "public"."events_2_2_id_at_idx1"
    on public.events_2_2 and public.Events 2, lock budget, found done

# Long names are cut to the same beginning: each gets a number.
setup
CREATE TABLE a_table_with_a_name_that_leaves_hardly_any_room_for_an_index (at int, what text) PARTITION BY RANGE (at);
CREATE TABLE a_table_with_a_name_that_leaves_hardly_any_room_for_index_01 PARTITION OF a_table_with_a_name_that_leaves_hardly_any_room_for_an_index FOR VALUES FROM (1) TO (2);
CREATE TABLE a_table_with_a_name_that_leaves_hardly_any_room_for_index_02 PARTITION OF a_table_with_a_name_that_leaves_hardly_any_room_for_an_index FOR VALUES FROM (2) TO (3);
INSERT INTO a_table_with_a_name_that_leaves_hardly_any_room_for_an_index VALUES (1), (2)
----

plan recipe=index-not-concurrent
CREATE INDEX ON a_table_with_a_name_that_leaves_hardly_any_room_for_an_index (what)
----
CREATE INDEX: building index "a_table_with_a_name_that_leaves_hardly_any_room_for_an_what_idx" on "a_table_with_a_name_that_leaves_hardly_any_room_for_an_index" one partition after the other, concurrently
  probe
  check 55000 pgsluice: the partitions of "a_table_with_a_name_that_leaves_hardly_any_room_for_an_index" are not those that index "a_table_with_a_name_that_leaves_hardly_any_room_for_an_what_idx" was planned for; run the migration again
    WITH RECURSIVE tree(oid) AS (SELECT N::pg_catalog.oid UNION ALL SELECT h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid) SELECT pg_catalog.format('Partition %s is new.', t.oid::pg_catalog.regclass) FROM tree t WHERE t.oid OPERATOR(pg_catalog.<>) ALL (N::pg_catalog.oid[]) LIMIT 1
  after commit: CREATE INDEX "a_table_with_a_name_that_leaves_hardly_any_room_for_an_what_idx" ON ONLY "public"."a_table_with_a_name_that_leaves_hardly_any_room_for_an_index" (what)
    on public.a_table_with_a_name_that_leaves_hardly_any_room_for_an_index [2=what], lock budget
    index public.a_table_with_a_name_that_leaves_hardly_any_room_for_an_what_idx
  alone: CREATE INDEX CONCURRENTLY "a_table_with_a_name_that_leaves_hardly_any_room_for_in_what_idx" ON "public"."a_table_with_a_name_that_leaves_hardly_any_room_for_index_01" (what)
    on public.a_table_with_a_name_that_leaves_hardly_any_room_for_index_01 [2=what]
    index public.a_table_with_a_name_that_leaves_hardly_any_room_for_in_what_idx
  after commit: ALTER INDEX "public"."a_table_with_a_name_that_leaves_hardly_any_room_for_an_what_idx" ATTACH PARTITION "public"."a_table_with_a_name_that_leaves_hardly_any_room_for_in_what_idx"
    on public.a_table_with_a_name_that_leaves_hardly_any_room_for_index_01 and public.a_table_with_a_name_that_leaves_hardly_any_room_for_an_index, lock budget
  alone: CREATE INDEX CONCURRENTLY "a_table_with_a_name_that_leaves_hardly_any_room_for_i_what_idx1" ON "public"."a_table_with_a_name_that_leaves_hardly_any_room_for_index_02" (what)
    on public.a_table_with_a_name_that_leaves_hardly_any_room_for_index_02 [2=what]
    index public.a_table_with_a_name_that_leaves_hardly_any_room_for_i_what_idx1
  after commit: ALTER INDEX "public"."a_table_with_a_name_that_leaves_hardly_any_room_for_an_what_idx" ATTACH PARTITION "public"."a_table_with_a_name_that_leaves_hardly_any_room_for_i_what_idx1"
    on public.a_table_with_a_name_that_leaves_hardly_any_room_for_index_02 and public.a_table_with_a_name_that_leaves_hardly_any_room_for_an_index, lock budget

# Partitions in another schema, and a parent that search_path finds now.
setup
CREATE SCHEMA app; CREATE TABLE app.logs (at int, what text) PARTITION BY HASH (at); CREATE TABLE logs_0 PARTITION OF app.logs FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO app.logs SELECT g, g FROM generate_series(1, 10) g; SET search_path = app
----

plan recipe=index-not-concurrent
CREATE INDEX IF NOT EXISTS logs_at ON logs (at, (what || 'x'))
----
CREATE INDEX: building index "logs_at" on "logs" one partition after the other, concurrently
  probe
  check 55000 pgsluice: the partitions of "logs" are not those that index "logs_at" was planned for; run the migration again
    WITH RECURSIVE tree(oid) AS (SELECT N::pg_catalog.oid UNION ALL SELECT h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid) SELECT pg_catalog.format('Partition %s is new.', t.oid::pg_catalog.regclass) FROM tree t WHERE t.oid OPERATOR(pg_catalog.<>) ALL (N::pg_catalog.oid[]) LIMIT 1
  after commit: CREATE INDEX IF NOT EXISTS logs_at ON ONLY "app"."logs" (at, (what || 'x'))
    on app.logs [1=at 2=what], lock budget
    index app.logs_at
  alone: CREATE INDEX CONCURRENTLY IF NOT EXISTS "logs_0_at_expr_idx" ON "public"."logs_0" (at, (what || 'x'))
    on public.logs_0 [1=at 2=what]
    index public.logs_0_at_expr_idx
  after commit: ALTER INDEX "app"."logs_at" ATTACH PARTITION "public"."logs_0_at_expr_idx"
    on public.logs_0 and app.logs, lock budget

setup
RESET search_path
----

# What the server would say about it, it says before anything is promised.
refused recipe=index-not-concurrent
CREATE UNIQUE INDEX ON events (what)
----
0A000 unique constraint on partitioned table must include all partitioning columns
UNIQUE constraint on table "pgsluice_probe" lacks column "at" which is part of the partition key.

refused recipe=index-not-concurrent
CREATE INDEX ON events (missing)
----
42703 column "missing" does not exist

setup
INSERT INTO app.logs VALUES (7, 7)
----

refused recipe=index-not-concurrent
CREATE UNIQUE INDEX doubled ON app.logs (at, what)
----
23505 could not create unique index "logs_0_at_what_idx"
Key (at, what)=(7, 7) is duplicated.

# Whose columns carry the table's name cannot be asked of another table.
unplanned recipe=index-not-concurrent
CREATE INDEX ON events (lower(events.what))
----
cannot index the partitions of "events" one by one: name the columns without their table

unplanned recipe=index-not-concurrent
CREATE INDEX ON events ((events IS NULL))
----
CREATE INDEX
  in place: (as it is)
    on public.events, lock budget, client's text
