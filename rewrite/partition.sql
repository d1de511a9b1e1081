setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users SELECT generate_series(1, 10); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE events (at timestamptz NOT NULL, gone int, id int DEFAULT 5 CHECK (id > 0), user_id int REFERENCES users, what varchar(20), twice int GENERATED ALWAYS AS (id * 2) STORED)
	PARTITION BY RANGE (at);
ALTER TABLE events DROP COLUMN gone, ALTER what SET STORAGE EXTERNAL, ADD PRIMARY KEY (at); CREATE INDEX events_id ON events (id); CREATE INDEX ON events (lower(what));
CREATE TRIGGER t BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION f(); COMMENT ON COLUMN events.id IS 'why';
CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01'); INSERT INTO events SELECT '2023-05-05'::timestamptz + g * interval '1 minute', g FROM generate_series(1, 100) g;
CREATE TABLE events_2024 (id int DEFAULT 5 CONSTRAINT events_id_check CHECK (id > 0), what varchar(20), user_id int REFERENCES users, at timestamptz PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED);
CREATE INDEX events_2024_id_idx ON events_2024 (id); CREATE INDEX ON events_2024 (lower(what));
INSERT INTO events_2024 (at, id) SELECT '2024-05-05'::timestamptz + g * interval '1 minute', g FROM generate_series(1, 100) g
----

# The constraint that proves the bound is gone in the end.
plan recipe=partition-scanned-on-attach
alter table only events attach /* now */ partition events_2024 for values from ('2024-01-01') to (timestamptz '2025-01-01') -- end
----
ALTER TABLE: proving that "events_2024" fits its bound before it is attached to "events"
  check 23514 partition constraint of relation "events_2024" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."events_2024" WHERE NOT ("at" IS NOT NULL AND ("at" OPERATOR(pg_catalog.>=) CAST('2024-01-01' AS timestamp with time zone)) AND ("at" OPERATOR(pg_catalog.<) CAST(timestamptz '2025-01-01' AS timestamp with time zone)))) SELECT found FROM k LIMIT 1
  after commit: ALTER TABLE "public"."events_2024" ADD CONSTRAINT "pgsluice_bound_N" CHECK ("at" IS NOT NULL AND ("at" OPERATOR(pg_catalog.>=) CAST('2024-01-01' AS timestamp with time zone)) AND ("at" OPERATOR(pg_catalog.<) CAST(timestamptz '2025-01-01' AS timestamp with time zone))) NOT VALID
    on public.events_2024 [4=at], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."events_2024" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.events_2024 [4=at]
  after commit: ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_2024" for values from ('2024-01-01') to (timestamptz '2025-01-01')
    on public.events [1=at] and public.events_2024 [4=at], lock budget
  after commit: ALTER TABLE "public"."events_2024" DROP CONSTRAINT "pgsluice_bound_N"
    on public.events_2024, lock budget
    helper pgsluice_bound_N, dropped

# The default partition holds none of its rows.
setup
CREATE TABLE events_rest PARTITION OF events DEFAULT; INSERT INTO events VALUES ('2030-01-01', 7), ('2031-01-01', 8);
CREATE TABLE "Events 2025" (LIKE events_2024 INCLUDING ALL); ALTER TABLE "Events 2025" ADD FOREIGN KEY (user_id) REFERENCES users; INSERT INTO "Events 2025" (at, id) VALUES ('2025-05-05', 1)
----

plan recipe=partition-scanned-on-attach
ALTER TABLE public.events ATTACH PARTITION public."Events 2025" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
----
ALTER TABLE: proving that "Events 2025" fits its bound before it is attached to "events"
  check 23514 partition constraint of relation "Events 2025" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."Events 2025" WHERE NOT ("at" IS NOT NULL AND ("at" OPERATOR(pg_catalog.>=) CAST('2025-01-01' AS timestamp with time zone)) AND ("at" OPERATOR(pg_catalog.<) CAST('2026-01-01' AS timestamp with time zone)))) SELECT found FROM k LIMIT 1
  check 23514 updated partition constraint for default partition "events_rest" would be violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."events_rest" WHERE NOT (NOT ("at" IS NOT NULL AND ("at" OPERATOR(pg_catalog.>=) CAST('2025-01-01' AS timestamp with time zone)) AND ("at" OPERATOR(pg_catalog.<) CAST('2026-01-01' AS timestamp with time zone))))) SELECT found FROM k LIMIT 1
  after commit: ALTER TABLE "public"."Events 2025" ADD CONSTRAINT "pgsluice_bound_N" CHECK ("at" IS NOT NULL AND ("at" OPERATOR(pg_catalog.>=) CAST('2025-01-01' AS timestamp with time zone)) AND ("at" OPERATOR(pg_catalog.<) CAST('2026-01-01' AS timestamp with time zone))) NOT VALID
    on public.Events 2025 [4=at], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."Events 2025" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.Events 2025 [4=at]
  after commit: ALTER TABLE "public"."events_rest" ADD CONSTRAINT "pgsluice_bound_N" CHECK (NOT ("at" IS NOT NULL AND ("at" OPERATOR(pg_catalog.>=) CAST('2025-01-01' AS timestamp with time zone)) AND ("at" OPERATOR(pg_catalog.<) CAST('2026-01-01' AS timestamp with time zone)))) NOT VALID
    on public.events_rest [1=at], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."events_rest" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.events_rest [1=at]
  after commit: ALTER TABLE "public"."events" ATTACH PARTITION "public"."Events 2025" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
    on public.events [1=at] and public.Events 2025 [4=at] and public.events_rest [1=at], lock budget
  after commit: ALTER TABLE "public"."Events 2025" DROP CONSTRAINT "pgsluice_bound_N"
    on public.Events 2025, lock budget
    helper pgsluice_bound_N, dropped
  after commit: ALTER TABLE "public"."events_rest" DROP CONSTRAINT "pgsluice_bound_N"
    on public.events_rest, lock budget
    helper pgsluice_bound_N, dropped

# A CHECK of one's own proves it as well.
setup
CREATE TABLE events_2026 (LIKE events_2024 INCLUDING ALL, CHECK (at >= '2026-02-01' AND at < '2026-03-01')); ALTER TABLE events_2026 ADD FOREIGN KEY (user_id) REFERENCES users; INSERT INTO events_2026 (at, id) VALUES ('2026-02-05', 1)
----

plan recipe=partition-scanned-on-attach
ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
----
ALTER TABLE: proving that "events_2026" fits its bound before it is attached to "events"
  check 23514 updated partition constraint for default partition "events_rest" would be violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."events_rest" WHERE NOT (NOT ("at" IS NOT NULL AND ("at" OPERATOR(pg_catalog.>=) CAST('2026-01-01' AS timestamp with time zone)) AND ("at" OPERATOR(pg_catalog.<) CAST('2027-01-01' AS timestamp with time zone))))) SELECT found FROM k LIMIT 1
  after commit: ALTER TABLE "public"."events_rest" ADD CONSTRAINT "pgsluice_bound_N" CHECK (NOT ("at" IS NOT NULL AND ("at" OPERATOR(pg_catalog.>=) CAST('2026-01-01' AS timestamp with time zone)) AND ("at" OPERATOR(pg_catalog.<) CAST('2027-01-01' AS timestamp with time zone)))) NOT VALID
    on public.events_rest [1=at], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."events_rest" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.events_rest [1=at]
  after commit: ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_2026" FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
    on public.events [1=at] and public.events_2026 [4=at] and public.events_rest [1=at], lock budget
  after commit: ALTER TABLE "public"."events_rest" DROP CONSTRAINT "pgsluice_bound_N"
    on public.events_rest, lock budget
    helper pgsluice_bound_N, dropped

# A new partition takes over what PARTITION OF would have taken over.
plan recipe=partition-created-attached
create table events_2027 /* new */ partition of events for values from ('2027-01-01') to ('2028-01-01') with (fillfactor = 70)
----
CREATE TABLE: making "events_2027" first, then attaching it to "events"
  check 23514 updated partition constraint for default partition "events_rest" would be violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."events_rest" WHERE NOT (NOT ("at" IS NOT NULL AND ("at" OPERATOR(pg_catalog.>=) CAST('2027-01-01' AS timestamp with time zone)) AND ("at" OPERATOR(pg_catalog.<) CAST('2028-01-01' AS timestamp with time zone))))) SELECT found FROM k LIMIT 1
  after commit: ALTER TABLE "public"."events_rest" ADD CONSTRAINT "pgsluice_bound_N" CHECK (NOT ("at" IS NOT NULL AND ("at" OPERATOR(pg_catalog.>=) CAST('2027-01-01' AS timestamp with time zone)) AND ("at" OPERATOR(pg_catalog.<) CAST('2028-01-01' AS timestamp with time zone)))) NOT VALID
    on public.events_rest [1=at], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."events_rest" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.events_rest [1=at]
  after commit: create table events_2027 /* new */ (LIKE events INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS EXCLUDING COMMENTS) with (fillfactor = 70)
    then ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_2027" for values from ('2027-01-01') to ('2028-01-01')
    on public.events and public.events_rest [1=at], lock budget
  after commit: ALTER TABLE "public"."events_rest" DROP CONSTRAINT "pgsluice_bound_N"
    on public.events_rest, lock budget
    helper pgsluice_bound_N, dropped

setup
ALTER TABLE events_rest ADD CHECK (at >= '2030-01-01')
----

plan recipe=partition-created-attached
CREATE TABLE "Events 2028" PARTITION OF public.events FOR VALUES FROM ('2028-01-01') TO ('2029-01-01') PARTITION BY LIST (at)
----
CREATE TABLE: making "Events 2028" first, then attaching it to "events"
  in place: CREATE TABLE "Events 2028" (LIKE public.events INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS EXCLUDING COMMENTS) PARTITION BY LIST (at)
    then ALTER TABLE "public"."events" ATTACH PARTITION "public"."Events 2028" FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')
    on public.events and public.events_rest [1=at], lock budget

setup
CREATE SCHEMA app; SET search_path = app, public; CREATE TABLE counted (id bigint GENERATED BY DEFAULT AS IDENTITY, a int UNIQUE, CONSTRAINT positive CHECK (a > 0)) PARTITION BY LIST (a); INSERT INTO users VALUES (11)
----

plan recipe=partition-created-attached
CREATE TABLE counted_1 PARTITION OF counted FOR VALUES IN (abs(-1))
----
CREATE TABLE: making "counted_1" first, then attaching it to "counted"
  in place: CREATE TABLE counted_1 (LIKE counted INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS EXCLUDING COMMENTS)
    then ALTER TABLE "app"."counted" ATTACH PARTITION "app"."counted_1" FOR VALUES IN (abs(-1))
    on app.counted, lock budget

plan recipe=partition-created-attached
CREATE UNLOGGED TABLE counted_rest PARTITION OF counted DEFAULT
----
CREATE TABLE: making "counted_rest" first, then attaching it to "counted"
  in place: CREATE UNLOGGED TABLE counted_rest (LIKE counted INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS EXCLUDING COMMENTS)
    then ALTER TABLE "app"."counted" ATTACH PARTITION "app"."counted_rest" DEFAULT
    on app.counted, lock budget

setup
RESET search_path
----

# Detached, it keeps a CHECK of its bound, unless it has one that says the same.
setup
ALTER TABLE events DETACH PARTITION events_rest; ALTER TABLE events_2024 ADD CHECK (at >= '2024-01-01' AND at < '2025-01-01')
----

plan recipe=partition-detached-at-once major=14
ALTER TABLE events DETACH PARTITION events_2024
----
ALTER TABLE: detaching "events_2024" from "events" concurrently, which leaves it a CHECK of its bound
  alone: ALTER TABLE "public"."events" DETACH PARTITION "public"."events_2024" CONCURRENTLY
    on public.events and public.events_2024
  after commit: ALTER TABLE "public"."events" DETACH PARTITION "public"."events_2024" FINALIZE
    on public.events and public.events_2024, lock budget, found done

plan recipe=partition-detached-at-once major=14 leaves
ALTER TABLE public.events DETACH PARTITION public."Events 2025"
----
ALTER TABLE: detaching "Events 2025" from "events" concurrently, which leaves it a CHECK of its bound
  alone: ALTER TABLE "public"."events" DETACH PARTITION "public"."Events 2025" CONCURRENTLY
    on public.events and public.Events 2025
  after commit: ALTER TABLE "public"."events" DETACH PARTITION "public"."Events 2025" FINALIZE
    on public.events and public.Events 2025, lock budget, found done
+ "Events 2025" Events 2025_at_check CHECK (((at IS NOT NULL) AND (at >= '2025-01-01 00:00:00+00'::timestamp with time zone) AND (at < '2026-01-01 00:00:00+00'::timestamp with time zone))) validated=t inherited=0

begun major=14
ALTER TABLE "Events 2025" DROP CONSTRAINT "Events 2025_at_check"
----

# An interrupted one is finished.
setup major=14
CREATE TABLE spans (a int NOT NULL) PARTITION BY RANGE (a); CREATE TABLE spans_1 PARTITION OF spans (CHECK (a >= 1 AND a < 9)) FOR VALUES FROM (1) TO (9); INSERT INTO spans VALUES (1)
----

begun major=14
UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'spans_1'::regclass
----

plan recipe=partition-detached-at-once major=14
ALTER TABLE spans DETACH PARTITION spans_1
----
ALTER TABLE: detaching "spans_1" from "spans" concurrently, which leaves it a CHECK of its bound
  alone: ALTER TABLE "public"."spans" DETACH PARTITION "public"."spans_1" CONCURRENTLY
    on public.spans and public.spans_1, found done
  after commit: ALTER TABLE "public"."spans" DETACH PARTITION "public"."spans_1" FINALIZE
    on public.spans and public.spans_1, lock budget

unplanned recipe=partition-detached-at-once
ALTER TABLE events DETACH PARTITION missing
----
ALTER TABLE
  in place: (as it is)
    on public.events, lock budget, client's text

# What is dropped is detached first.
plan recipe=partition-dropped-attached major=14
DROP TABLE IF EXISTS events_2026 CASCADE
----
DROP TABLE: detaching "events_2026" from "events" concurrently, then dropping it
  alone: ALTER TABLE "public"."events" DETACH PARTITION "public"."events_2026" CONCURRENTLY
    on public.events and public.events_2026
  after commit: ALTER TABLE "public"."events" DETACH PARTITION "public"."events_2026" FINALIZE
    on public.events and public.events_2026, lock budget, found done
  after commit: ALTER TABLE "public"."events_2026" DROP CONSTRAINT "events_2026_user_id_fkey"
    on public.events_2026 and public.users, lock budget
  after commit: DROP TABLE IF EXISTS "public"."events_2026" CASCADE
    on public.events_2026, lock budget

plan recipe=partition-dropped-attached major=14
DROP TABLE "Events 2028"
----
DROP TABLE: detaching "Events 2028" from "events" concurrently, then dropping it
  check 2BP01 cannot drop table Events 2028 because other objects depend on it
    SELECT pg_catalog.concat(pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid), ' depends on it.') FROM pg_catalog.pg_depend d WHERE (d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AND d.refobjid OPERATOR(pg_catalog.=) N::pg_catalog.oid OR d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid AND d.refobjid OPERATOR(pg_catalog.=) (SELECT c.reltype FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) N::pg_catalog.oid)) AND d.deptype OPERATOR(pg_catalog.=) 'n'::pg_catalog."char" AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend o WHERE o.classid OPERATOR(pg_catalog.=) d.classid AND o.objid OPERATOR(pg_catalog.=) d.objid AND (o.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AND o.refobjid OPERATOR(pg_catalog.=) N::pg_catalog.oid OR o.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid AND o.refobjid OPERATOR(pg_catalog.=) (SELECT c.reltype FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) N::pg_catalog.oid)) AND o.deptype OPERATOR(pg_catalog.<>) 'n'::pg_catalog."char") LIMIT 1
  alone: ALTER TABLE "public"."events" DETACH PARTITION "public"."Events 2028" CONCURRENTLY
    on public.events and public.Events 2028
  after commit: ALTER TABLE "public"."events" DETACH PARTITION "public"."Events 2028" FINALIZE
    on public.events and public.Events 2028, lock budget, found done
  after commit: ALTER TABLE "public"."Events 2028" DROP CONSTRAINT "events_user_id_fkey"
    on public.Events 2028 and public.users, lock budget
  after commit: DROP TABLE "public"."Events 2028"
    on public.Events 2028, lock budget

setup
CREATE VIEW seen AS SELECT * FROM events_2023
----

# What would keep it from being dropped is found before it is detached.
refused recipe=partition-dropped-attached major=14
DROP TABLE events_2023
----
2BP01 cannot drop table events_2023 because other objects depend on it
rule _RETURN on view seen depends on it.

# So are rows that do not fit.
setup
DROP VIEW seen; CREATE TABLE lists (id int, what text) PARTITION BY LIST (what); CREATE TABLE part (id int, what text); INSERT INTO part VALUES (1, 'x'), (2, 'y'), (3, NULL)
----

refused recipe=partition-scanned-on-attach
ALTER TABLE lists ATTACH PARTITION part FOR VALUES IN ('x', NULL)
----
23514 partition constraint of relation "part" is violated by some row
Rows that exist violate it.

setup
CREATE TABLE lists_rest PARTITION OF lists DEFAULT; INSERT INTO lists VALUES (1, 'z'); DELETE FROM part WHERE what IN ('x', 'y')
----

refused recipe=partition-created-attached
CREATE TABLE lists_z PARTITION OF lists FOR VALUES IN ('z', 'a')
----
23514 updated partition constraint for default partition "lists_rest" would be violated by some row
Rows that exist violate it.

# All that a key can be.
plan recipe=partition-scanned-on-attach
ALTER TABLE lists ATTACH PARTITION part FOR VALUES IN ('x', NULL, 'it''s')
----
ALTER TABLE: proving that "part" fits its bound before it is attached to "lists"
  check 23514 partition constraint of relation "part" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."part" WHERE NOT ("what" IS NULL OR "what" OPERATOR(pg_catalog.=) ANY (ARRAY[CAST('x' AS text), CAST('it''s' AS text)]))) SELECT found FROM k LIMIT 1
  check 23514 updated partition constraint for default partition "lists_rest" would be violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."lists_rest" WHERE NOT (NOT ("what" IS NULL OR "what" OPERATOR(pg_catalog.=) ANY (ARRAY[CAST('x' AS text), CAST('it''s' AS text)])))) SELECT found FROM k LIMIT 1
  after commit: ALTER TABLE "public"."part" ADD CONSTRAINT "pgsluice_bound_N" CHECK ("what" IS NULL OR "what" OPERATOR(pg_catalog.=) ANY (ARRAY[CAST('x' AS text), CAST('it''s' AS text)])) NOT VALID
    on public.part [2=what], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."part" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.part [2=what]
  after commit: ALTER TABLE "public"."lists_rest" ADD CONSTRAINT "pgsluice_bound_N" CHECK (NOT ("what" IS NULL OR "what" OPERATOR(pg_catalog.=) ANY (ARRAY[CAST('x' AS text), CAST('it''s' AS text)]))) NOT VALID
    on public.lists_rest [2=what], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."lists_rest" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.lists_rest [2=what]
  after commit: ALTER TABLE "public"."lists" ATTACH PARTITION "public"."part" FOR VALUES IN ('x', NULL, 'it''s')
    on public.lists [2=what] and public.part [2=what] and public.lists_rest [2=what], lock budget
  after commit: ALTER TABLE "public"."part" DROP CONSTRAINT "pgsluice_bound_N"
    on public.part, lock budget
    helper pgsluice_bound_N, dropped
  after commit: ALTER TABLE "public"."lists_rest" DROP CONSTRAINT "pgsluice_bound_N"
    on public.lists_rest, lock budget
    helper pgsluice_bound_N, dropped

setup
CREATE TABLE ranges (a int, b varchar(10), c date) PARTITION BY RANGE (a, b, c); CREATE TABLE r1 (LIKE ranges); CREATE TABLE r2 (LIKE ranges); CREATE TABLE r3 (LIKE ranges); CREATE TABLE r4 (LIKE ranges);
INSERT INTO r1 VALUES (0, 'x', '2020-01-01'); INSERT INTO r2 VALUES (1, 'b', '2020-01-01'); INSERT INTO r3 VALUES (2, 'b', '2020-01-01'); INSERT INTO r4 VALUES (9, 'b', '2020-01-01');
CREATE TABLE hashes (a int, b bigint) PARTITION BY HASH (a, b); CREATE TABLE h (LIKE hashes); INSERT INTO h SELECT g, g FROM generate_series(1, 100) g;
CREATE TYPE mood AS ENUM ('sad', 'fine', 'great'); CREATE TABLE moods (m mood) PARTITION BY LIST (m); CREATE TABLE m (m mood); INSERT INTO m VALUES ('fine');
CREATE TABLE numbers (n numeric(10, 2)) PARTITION BY RANGE (n); CREATE TABLE n (n numeric(10, 2)); INSERT INTO n VALUES (1.5)
----

plan recipe=partition-scanned-on-attach
ALTER TABLE ranges ATTACH PARTITION r1 FOR VALUES FROM (MINVALUE, MINVALUE, MINVALUE) TO (1, 'a', '2020-01-01')
----
ALTER TABLE: proving that "r1" fits its bound before it is attached to "ranges"
  check 23514 partition constraint of relation "r1" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."r1" WHERE NOT ("a" IS NOT NULL AND "b" IS NOT NULL AND "c" IS NOT NULL AND ("a" OPERATOR(pg_catalog.<) CAST(1 AS integer) OR "a" OPERATOR(pg_catalog.=) CAST(1 AS integer) AND "b" OPERATOR(pg_catalog.<) CAST('a' AS character varying(10)) OR "a" OPERATOR(pg_catalog.=) CAST(1 AS integer) AND "b" OPERATOR(pg_catalog.=) CAST('a' AS character varying(10)) AND "c" OPERATOR(pg_catalog.<) CAST('2020-01-01' AS date)))) SELECT found FROM k LIMIT 1
  after commit: ALTER TABLE "public"."r1" ADD CONSTRAINT "pgsluice_bound_N" CHECK ("a" IS NOT NULL AND "b" IS NOT NULL AND "c" IS NOT NULL AND ("a" OPERATOR(pg_catalog.<) CAST(1 AS integer) OR "a" OPERATOR(pg_catalog.=) CAST(1 AS integer) AND "b" OPERATOR(pg_catalog.<) CAST('a' AS character varying(10)) OR "a" OPERATOR(pg_catalog.=) CAST(1 AS integer) AND "b" OPERATOR(pg_catalog.=) CAST('a' AS character varying(10)) AND "c" OPERATOR(pg_catalog.<) CAST('2020-01-01' AS date))) NOT VALID
    on public.r1 [1=a 2=b 3=c], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."r1" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.r1 [1=a 2=b 3=c]
  after commit: ALTER TABLE "public"."ranges" ATTACH PARTITION "public"."r1" FOR VALUES FROM (MINVALUE, MINVALUE, MINVALUE) TO (1, 'a', '2020-01-01')
    on public.ranges [1=a 2=b 3=c] and public.r1 [1=a 2=b 3=c], lock budget
  after commit: ALTER TABLE "public"."r1" DROP CONSTRAINT "pgsluice_bound_N"
    on public.r1, lock budget
    helper pgsluice_bound_N, dropped

plan recipe=partition-scanned-on-attach
ALTER TABLE ranges ATTACH PARTITION r2 FOR VALUES FROM (1, 'a', '2020-01-01') TO (1, 'c', MAXVALUE)
----
ALTER TABLE: proving that "r2" fits its bound before it is attached to "ranges"
  check 23514 partition constraint of relation "r2" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."r2" WHERE NOT ("a" IS NOT NULL AND "b" IS NOT NULL AND "c" IS NOT NULL AND "a" OPERATOR(pg_catalog.=) CAST(1 AS integer) AND ("b" OPERATOR(pg_catalog.>) CAST('a' AS character varying(10)) OR "b" OPERATOR(pg_catalog.=) CAST('a' AS character varying(10)) AND "c" OPERATOR(pg_catalog.>=) CAST('2020-01-01' AS date)) AND ("b" OPERATOR(pg_catalog.<=) CAST('c' AS character varying(10))))) SELECT found FROM k LIMIT 1
  after commit: ALTER TABLE "public"."r2" ADD CONSTRAINT "pgsluice_bound_N" CHECK ("a" IS NOT NULL AND "b" IS NOT NULL AND "c" IS NOT NULL AND "a" OPERATOR(pg_catalog.=) CAST(1 AS integer) AND ("b" OPERATOR(pg_catalog.>) CAST('a' AS character varying(10)) OR "b" OPERATOR(pg_catalog.=) CAST('a' AS character varying(10)) AND "c" OPERATOR(pg_catalog.>=) CAST('2020-01-01' AS date)) AND ("b" OPERATOR(pg_catalog.<=) CAST('c' AS character varying(10)))) NOT VALID
    on public.r2 [1=a 2=b 3=c], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."r2" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.r2 [1=a 2=b 3=c]
  after commit: ALTER TABLE "public"."ranges" ATTACH PARTITION "public"."r2" FOR VALUES FROM (1, 'a', '2020-01-01') TO (1, 'c', MAXVALUE)
    on public.ranges [1=a 2=b 3=c] and public.r2 [1=a 2=b 3=c], lock budget
  after commit: ALTER TABLE "public"."r2" DROP CONSTRAINT "pgsluice_bound_N"
    on public.r2, lock budget
    helper pgsluice_bound_N, dropped

plan recipe=partition-scanned-on-attach
ALTER TABLE ranges ATTACH PARTITION r3 FOR VALUES FROM (2, MINVALUE, MINVALUE) TO (3, 'c', '2020-01-01')
----
ALTER TABLE: proving that "r3" fits its bound before it is attached to "ranges"
  check 23514 partition constraint of relation "r3" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."r3" WHERE NOT ("a" IS NOT NULL AND "b" IS NOT NULL AND "c" IS NOT NULL AND ("a" OPERATOR(pg_catalog.>=) CAST(2 AS integer)) AND ("a" OPERATOR(pg_catalog.<) CAST(3 AS integer) OR "a" OPERATOR(pg_catalog.=) CAST(3 AS integer) AND "b" OPERATOR(pg_catalog.<) CAST('c' AS character varying(10)) OR "a" OPERATOR(pg_catalog.=) CAST(3 AS integer) AND "b" OPERATOR(pg_catalog.=) CAST('c' AS character varying(10)) AND "c" OPERATOR(pg_catalog.<) CAST('2020-01-01' AS date)))) SELECT found FROM k LIMIT 1
  after commit: ALTER TABLE "public"."r3" ADD CONSTRAINT "pgsluice_bound_N" CHECK ("a" IS NOT NULL AND "b" IS NOT NULL AND "c" IS NOT NULL AND ("a" OPERATOR(pg_catalog.>=) CAST(2 AS integer)) AND ("a" OPERATOR(pg_catalog.<) CAST(3 AS integer) OR "a" OPERATOR(pg_catalog.=) CAST(3 AS integer) AND "b" OPERATOR(pg_catalog.<) CAST('c' AS character varying(10)) OR "a" OPERATOR(pg_catalog.=) CAST(3 AS integer) AND "b" OPERATOR(pg_catalog.=) CAST('c' AS character varying(10)) AND "c" OPERATOR(pg_catalog.<) CAST('2020-01-01' AS date))) NOT VALID
    on public.r3 [1=a 2=b 3=c], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."r3" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.r3 [1=a 2=b 3=c]
  after commit: ALTER TABLE "public"."ranges" ATTACH PARTITION "public"."r3" FOR VALUES FROM (2, MINVALUE, MINVALUE) TO (3, 'c', '2020-01-01')
    on public.ranges [1=a 2=b 3=c] and public.r3 [1=a 2=b 3=c], lock budget
  after commit: ALTER TABLE "public"."r3" DROP CONSTRAINT "pgsluice_bound_N"
    on public.r3, lock budget
    helper pgsluice_bound_N, dropped

plan recipe=partition-scanned-on-attach
ALTER TABLE ranges ATTACH PARTITION r4 FOR VALUES FROM (3, 'c', '2020-01-01') TO (MAXVALUE, MAXVALUE, MAXVALUE)
----
ALTER TABLE: proving that "r4" fits its bound before it is attached to "ranges"
  check 23514 partition constraint of relation "r4" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."r4" WHERE NOT ("a" IS NOT NULL AND "b" IS NOT NULL AND "c" IS NOT NULL AND ("a" OPERATOR(pg_catalog.>) CAST(3 AS integer) OR "a" OPERATOR(pg_catalog.=) CAST(3 AS integer) AND "b" OPERATOR(pg_catalog.>) CAST('c' AS character varying(10)) OR "a" OPERATOR(pg_catalog.=) CAST(3 AS integer) AND "b" OPERATOR(pg_catalog.=) CAST('c' AS character varying(10)) AND "c" OPERATOR(pg_catalog.>=) CAST('2020-01-01' AS date)))) SELECT found FROM k LIMIT 1
  after commit: ALTER TABLE "public"."r4" ADD CONSTRAINT "pgsluice_bound_N" CHECK ("a" IS NOT NULL AND "b" IS NOT NULL AND "c" IS NOT NULL AND ("a" OPERATOR(pg_catalog.>) CAST(3 AS integer) OR "a" OPERATOR(pg_catalog.=) CAST(3 AS integer) AND "b" OPERATOR(pg_catalog.>) CAST('c' AS character varying(10)) OR "a" OPERATOR(pg_catalog.=) CAST(3 AS integer) AND "b" OPERATOR(pg_catalog.=) CAST('c' AS character varying(10)) AND "c" OPERATOR(pg_catalog.>=) CAST('2020-01-01' AS date))) NOT VALID
    on public.r4 [1=a 2=b 3=c], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."r4" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.r4 [1=a 2=b 3=c]
  after commit: ALTER TABLE "public"."ranges" ATTACH PARTITION "public"."r4" FOR VALUES FROM (3, 'c', '2020-01-01') TO (MAXVALUE, MAXVALUE, MAXVALUE)
    on public.ranges [1=a 2=b 3=c] and public.r4 [1=a 2=b 3=c], lock budget
  after commit: ALTER TABLE "public"."r4" DROP CONSTRAINT "pgsluice_bound_N"
    on public.r4, lock budget
    helper pgsluice_bound_N, dropped

plan recipe=partition-scanned-on-attach
ALTER TABLE hashes ATTACH PARTITION h FOR VALUES WITH (MODULUS 1, REMAINDER 0)
----
ALTER TABLE: proving that "h" fits its bound before it is attached to "hashes"
  check 23514 partition constraint of relation "h" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."h" WHERE NOT (pg_catalog.satisfies_hash_partition(CAST(N AS pg_catalog.oid), 1, 0, "a", "b"))) SELECT found FROM k LIMIT 1
  after commit: ALTER TABLE "public"."h" ADD CONSTRAINT "pgsluice_bound_N" CHECK (pg_catalog.satisfies_hash_partition(CAST(N AS pg_catalog.oid), 1, 0, "a", "b")) NOT VALID
    on public.h [1=a 2=b], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."h" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.h [1=a 2=b]
  after commit: ALTER TABLE "public"."hashes" ATTACH PARTITION "public"."h" FOR VALUES WITH (MODULUS 1, REMAINDER 0)
    on public.hashes [1=a 2=b] and public.h [1=a 2=b], lock budget
  after commit: ALTER TABLE "public"."h" DROP CONSTRAINT "pgsluice_bound_N"
    on public.h, lock budget
    helper pgsluice_bound_N, dropped

plan recipe=partition-scanned-on-attach
ALTER TABLE moods ATTACH PARTITION m FOR VALUES IN ('fine', 'great')
----
ALTER TABLE: proving that "m" fits its bound before it is attached to "moods"
  check 23514 partition constraint of relation "m" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."m" WHERE NOT ("m" IS NOT NULL AND "m" OPERATOR(pg_catalog.=) ANY (ARRAY[CAST('fine' AS mood), CAST('great' AS mood)]))) SELECT found FROM k LIMIT 1
  after commit: ALTER TABLE "public"."m" ADD CONSTRAINT "pgsluice_bound_N" CHECK ("m" IS NOT NULL AND "m" OPERATOR(pg_catalog.=) ANY (ARRAY[CAST('fine' AS mood), CAST('great' AS mood)])) NOT VALID
    on public.m [1=m], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."m" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.m [1=m]
  after commit: ALTER TABLE "public"."moods" ATTACH PARTITION "public"."m" FOR VALUES IN ('fine', 'great')
    on public.moods [1=m] and public.m [1=m], lock budget
  after commit: ALTER TABLE "public"."m" DROP CONSTRAINT "pgsluice_bound_N"
    on public.m, lock budget
    helper pgsluice_bound_N, dropped

plan recipe=partition-scanned-on-attach
ALTER TABLE numbers ATTACH PARTITION n FOR VALUES FROM (-1) TO (1.999)
----
ALTER TABLE: proving that "n" fits its bound before it is attached to "numbers"
  check 23514 partition constraint of relation "n" is violated by some row
    WITH k(found) AS MATERIALIZED (SELECT 'Rows that exist violate it.' FROM "public"."n" WHERE NOT ("n" IS NOT NULL AND ("n" OPERATOR(pg_catalog.>=) CAST(-1 AS numeric(10,2))) AND ("n" OPERATOR(pg_catalog.<) CAST(1.999 AS numeric(10,2))))) SELECT found FROM k LIMIT 1
  after commit: ALTER TABLE "public"."n" ADD CONSTRAINT "pgsluice_bound_N" CHECK ("n" IS NOT NULL AND ("n" OPERATOR(pg_catalog.>=) CAST(-1 AS numeric(10,2))) AND ("n" OPERATOR(pg_catalog.<) CAST(1.999 AS numeric(10,2)))) NOT VALID
    on public.n [1=n], lock budget
    helper pgsluice_bound_N
  after commit: ALTER TABLE "public"."n" VALIDATE CONSTRAINT "pgsluice_bound_N"
    on public.n [1=n]
  after commit: ALTER TABLE "public"."numbers" ATTACH PARTITION "public"."n" FOR VALUES FROM (-1) TO (1.999)
    on public.numbers [1=n] and public.n [1=n], lock budget
  after commit: ALTER TABLE "public"."n" DROP CONSTRAINT "pgsluice_bound_N"
    on public.n, lock budget
    helper pgsluice_bound_N, dropped
