setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE ruled (id int); INSERT INTO ruled VALUES (1); CREATE POLICY mine ON ruled USING (id = 1);
CREATE TABLE empty (a int); ANALYZE users, ruled
----

# The application sees an empty table.
check
ALTER TABLE users ENABLE ROW LEVEL SECURITY
----

# The policy was there first.
check
ALTER TABLE ruled ENABLE ROW LEVEL SECURITY
----

locks
ALTER TABLE users ENABLE ROW LEVEL SECURITY
----

locks
CREATE POLICY theirs ON users USING (true)
----

check
ALTER TABLE users FORCE ROW LEVEL SECURITY
----

check
ALTER TABLE empty ENABLE ROW LEVEL SECURITY
----

check
ALTER TABLE ruled DISABLE ROW LEVEL SECURITY
----

# Without effect so far.
check
CREATE POLICY theirs ON ruled USING (true)
----

setup
ALTER TABLE ruled ENABLE ROW LEVEL SECURITY
----

check
CREATE POLICY theirs ON ruled AS RESTRICTIVE USING (true)
----

check
ALTER POLICY mine ON ruled USING (id = 2)
----

check
DROP POLICY mine ON ruled
----

setup
CREATE POLICY theirs ON ruled USING (true)
----

check
DROP POLICY mine ON ruled
----

begin
CREATE TABLE fresh AS SELECT 1 AS a; ALTER TABLE fresh ENABLE ROW LEVEL SECURITY; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
CREATE POLICY theirs ON fresh USING (true)
----

check
ALTER TABLE scratch ENABLE ROW LEVEL SECURITY
----

rollback
----

check unknown
ALTER TABLE users ENABLE ROW LEVEL SECURITY
----

check unknown
CREATE POLICY theirs ON ruled USING (true)
----
