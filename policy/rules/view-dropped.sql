setup
CREATE TABLE users (id int); CREATE VIEW seen AS SELECT * FROM users; CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM users
----

check
DROP VIEW seen
----
warn
  dropping view "seen" breaks queries that still use it, and its grants are lost; to change it, use CREATE OR REPLACE VIEW

# It keeps its grants and what depends on it.
check
CREATE OR REPLACE VIEW seen AS SELECT * FROM users
----
pass

locks
DROP VIEW seen
----
(uncommitted) AccessExclusiveLock

locks
CREATE OR REPLACE VIEW seen AS SELECT * FROM users
----
seen AccessExclusiveLock
users AccessShareLock

check
DROP MATERIALIZED VIEW counted
----
warn
  dropping materialized view "counted" breaks queries that still use it, and its grants are lost; release code without it first

check
DROP VIEW IF EXISTS missing
----
pass

begin
CREATE VIEW fresh AS SELECT 1; CREATE TEMPORARY VIEW scratch AS SELECT 1
----

check
DROP VIEW fresh, scratch
----
pass

rollback
----

check unknown
DROP VIEW seen
----
warn
  dropping view "seen" breaks queries that still use it, and its grants are lost; to change it, use CREATE OR REPLACE VIEW
  unknown: whether seen exists

check
DROP TABLE users
----
pass
