setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE empty (a int); ANALYZE users
----

check
CREATE TRIGGER slimmed BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----
warn
  trigger "slimmed" runs with every write of "users" from the COMMIT on, and what fails in it fails them; try it on a copy first
  detail: Table public.users has about 1 rows, 8192 bytes.

check
CREATE TRIGGER slimmed BEFORE UPDATE ON empty FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----
pass

locks
CREATE TRIGGER slimmed BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----
users ShareRowExclusiveLock

check
CREATE RULE kept AS ON DELETE TO users DO INSTEAD NOTHING
----
warn
  rule "kept" rewrites the statements that use "users" from the COMMIT on; use a trigger or a view
  detail: Table public.users has about 1 rows, 8192 bytes.

locks
CREATE RULE kept AS ON DELETE TO users DO INSTEAD NOTHING
----
users AccessExclusiveLock

check
CREATE RULE kept AS ON DELETE TO empty DO INSTEAD NOTHING
----
pass

begin
CREATE TABLE fresh AS SELECT 1 AS a; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
CREATE TRIGGER slimmed BEFORE UPDATE ON fresh FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----
pass

check
CREATE TRIGGER slimmed BEFORE UPDATE ON scratch FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----
pass

rollback
----

# To drop one is only a lock.
setup
CREATE TRIGGER slimmed BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----

check
DROP TRIGGER slimmed ON users
----
pass

locks
DROP TRIGGER slimmed ON users
----
users AccessExclusiveLock
users AccessShareLock

check unknown
CREATE TRIGGER slimmed BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----
warn
  trigger "slimmed" runs with every write of "users" from the COMMIT on, and what fails in it fails them; try it on a copy first
  unknown: whether "users" is in use: its size

# An event trigger concerns everybody's schema changes.
check
CREATE EVENT TRIGGER guarded ON ddl_command_start WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION stopped()
----
warn
  event trigger "guarded" runs with every schema change of this database from the COMMIT on, those of pgsluice included, and what fails in it fails them; try it on a copy first
