setup
CREATE TABLE events (at int, id int) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (1000); CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (1000) TO (2000) PARTITION BY LIST (id);
CREATE TABLE events_2_1 PARTITION OF events_2 DEFAULT; INSERT INTO events SELECT g, g FROM generate_series(1, 1999) g; ANALYZE events_1, events_2_1;
CREATE INDEX events_id ON events (id); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'
----

# All of them are locked at once.
check
ALTER TABLE events ADD COLUMN what text
----
warn
  this ALTER TABLE takes AccessExclusiveLock on "events" and all of its 3 partitions at once; run it when none of them is busy
  detail: Table public.events has about 1,999 rows in 3 partitions, 128 kB.

locks
ALTER TABLE events ADD COLUMN what text
----
events AccessExclusiveLock
events_1 AccessExclusiveLock
events_2 AccessExclusiveLock
events_2_1 AccessExclusiveLock

check
ALTER TABLE events ALTER id SET DEFAULT 5, ALTER id SET STATISTICS 100
----
warn
  this ALTER TABLE takes AccessExclusiveLock on "events" and all of its 3 partitions at once; run it when none of them is busy
  detail: Table public.events has about 1,999 rows in 3 partitions, 128 kB.

check
CREATE TRIGGER t AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION f()
----
warn
  this trigger takes ShareRowExclusiveLock on "events" and all of its 3 partitions at once; run it when none of them is busy
  detail: Table public.events has about 1,999 rows in 3 partitions, 128 kB.

locks
CREATE TRIGGER t AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION f()
----
events ShareRowExclusiveLock
events_1 ShareRowExclusiveLock
events_2 ShareRowExclusiveLock
events_2_1 ShareRowExclusiveLock

check
DROP INDEX events_id
----
warn
  dropping index "events_id" takes AccessExclusiveLock on "events" and all of its 3 partitions at once; run it when none of them is busy
  detail: Table public.events has about 1,999 rows in 3 partitions, 128 kB.

locks
DROP INDEX events_id
----
(uncommitted) AccessExclusiveLock
events AccessExclusiveLock
events_1 AccessExclusiveLock
events_2 AccessExclusiveLock
events_2_1 AccessExclusiveLock

# A partition of its own is one table.
check
ALTER TABLE events_1 ALTER id SET DEFAULT 5
----
pass

check
ALTER TABLE ONLY events ALTER id SET DEFAULT 5
----
pass

# What is the table's alone.
check
ALTER TABLE events OWNER TO postgres
----
pass

locks
ALTER TABLE events OWNER TO postgres
----
events AccessExclusiveLock

check
ALTER TABLE events RENAME TO happenings
----
pass

check
ALTER TABLE events ENABLE ROW LEVEL SECURITY
----
pass

check small
ALTER TABLE events ADD COLUMN what text
----
pass

check unknown
ALTER TABLE events ADD COLUMN what text
----
pass

check
ALTER TABLE missing ADD COLUMN what text
----
pass
