setup
CREATE TABLE users (id int PRIMARY KEY); CREATE INDEX users_id ON users (id);
CREATE TABLE events (at int) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10); CREATE INDEX events_at ON events (at);
CREATE MATERIALIZED VIEW counted AS SELECT 1 AS a; CREATE UNIQUE INDEX counted_a ON counted (a)
----

begin
----

# The server refuses it when it comes to it, and all before it was in vain.
check
CREATE INDEX CONCURRENTLY users_id_2 ON users (id)
----

# It can be rolled back.
check
CREATE INDEX users_id_2 ON users (id)
----

check
VACUUM FULL users
----

check
ALTER SYSTEM SET work_mem = '1GB'
----

check
CREATE DATABASE other
----

check
DROP DATABASE other
----

check
DROP INDEX CONCURRENTLY users_id
----

check
REINDEX TABLE CONCURRENTLY users
----

check
ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY
----

check
REINDEX TABLE users
----

check
ANALYZE users
----

# This one may.
check
REFRESH MATERIALIZED VIEW CONCURRENTLY counted
----

check major=14
REINDEX TABLE events
----

check version=130000
REINDEX INDEX events_at
----

check major=15
CLUSTER events USING events_at
----

check unknown
VACUUM
----

rollback
----

check
CREATE INDEX CONCURRENTLY users_id_2 ON users (id)
----

check
VACUUM FULL users
----

locks
REINDEX TABLE users
----
