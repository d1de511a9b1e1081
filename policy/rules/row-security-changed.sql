setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE ruled (id int); INSERT INTO ruled VALUES (1); CREATE POLICY mine ON ruled USING (id = 1);
CREATE TABLE empty (a int); ANALYZE users, ruled
----

# The application sees an empty table.
check
ALTER TABLE users ENABLE ROW LEVEL SECURITY
----
warn
  ENABLE ROW LEVEL SECURITY on "users" hides all its rows from everybody but the owner while it has no policy; create the policies first
  detail: Table public.users has about 1 rows, 8192 bytes.

# The policy was there first.
check
ALTER TABLE ruled ENABLE ROW LEVEL SECURITY
----
pass

locks
ALTER TABLE users ENABLE ROW LEVEL SECURITY
----
users AccessExclusiveLock

locks
CREATE POLICY theirs ON users USING (true)
----
users AccessExclusiveLock

check
ALTER TABLE users FORCE ROW LEVEL SECURITY
----
warn
  FORCE ROW LEVEL SECURITY on "users" hides all its rows from everybody, the owner included, while it has no policy; create the policies first
  detail: Table public.users has about 1 rows, 8192 bytes.

check
ALTER TABLE empty ENABLE ROW LEVEL SECURITY
----
pass

check
ALTER TABLE ruled DISABLE ROW LEVEL SECURITY
----
pass

# Without effect so far.
check
CREATE POLICY theirs ON ruled USING (true)
----
pass

setup
ALTER TABLE ruled ENABLE ROW LEVEL SECURITY
----

check
CREATE POLICY theirs ON ruled AS RESTRICTIVE USING (true)
----
warn
  CREATE POLICY changes which rows of "ruled" its roles see, from the COMMIT on; try it with SET ROLE in a transaction that is rolled back

check
ALTER POLICY mine ON ruled USING (id = 2)
----
warn
  ALTER POLICY changes which rows of "ruled" its roles see, from the COMMIT on; try it with SET ROLE in a transaction that is rolled back

check
DROP POLICY mine ON ruled
----
warn
  "ruled" loses its last policy and hides all its rows from everybody but the owner; disable row security first

setup
CREATE POLICY theirs ON ruled USING (true)
----

check
DROP POLICY mine ON ruled
----
warn
  DROP POLICY changes which rows of "ruled" its roles see, from the COMMIT on; try it with SET ROLE in a transaction that is rolled back

begin
CREATE TABLE fresh AS SELECT 1 AS a; ALTER TABLE fresh ENABLE ROW LEVEL SECURITY; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
CREATE POLICY theirs ON fresh USING (true)
----
pass

check
ALTER TABLE scratch ENABLE ROW LEVEL SECURITY
----
pass

rollback
----

check unknown
ALTER TABLE users ENABLE ROW LEVEL SECURITY
----
warn
  ENABLE ROW LEVEL SECURITY on "users" hides all its rows from everybody but the owner while it has no policy; create the policies first
  unknown: whether "users" has policies

check unknown
CREATE POLICY theirs ON ruled USING (true)
----
warn
  CREATE POLICY changes which rows of "ruled" its roles see, from the COMMIT on; try it with SET ROLE in a transaction that is rolled back
  unknown: whether "ruled" has row security on

# By another name it is the same.
setup
CREATE TABLE named (a int); INSERT INTO named VALUES (1); ALTER TABLE named ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON named USING (a > 0)
----

check
ALTER POLICY mine ON named RENAME TO ours
----
pass

check
ALTER POLICY mine ON named USING (a > 1)
----
warn
  ALTER POLICY changes which rows of "named" its roles see, from the COMMIT on; try it with SET ROLE in a transaction that is rolled back
