setup
CREATE TABLE users (id int); CREATE VIEW seen AS SELECT * FROM users; CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM users
----

check
DROP VIEW seen
----

# It keeps its grants and what depends on it.
check
CREATE OR REPLACE VIEW seen AS SELECT * FROM users
----

locks
DROP VIEW seen
----

locks
CREATE OR REPLACE VIEW seen AS SELECT * FROM users
----

check
DROP MATERIALIZED VIEW counted
----

check
DROP VIEW IF EXISTS missing
----

begin
CREATE VIEW fresh AS SELECT 1; CREATE TEMPORARY VIEW scratch AS SELECT 1
----

check
DROP VIEW fresh, scratch
----

rollback
----

check unknown
DROP VIEW seen
----

check
DROP TABLE users
----
