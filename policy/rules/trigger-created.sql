setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE empty (a int); ANALYZE users
----

check
CREATE TRIGGER slimmed BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----

check
CREATE TRIGGER slimmed BEFORE UPDATE ON empty FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----

locks
CREATE TRIGGER slimmed BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----

check
CREATE RULE kept AS ON DELETE TO users DO INSTEAD NOTHING
----

locks
CREATE RULE kept AS ON DELETE TO users DO INSTEAD NOTHING
----

check
CREATE RULE kept AS ON DELETE TO empty DO INSTEAD NOTHING
----

begin
CREATE TABLE fresh AS SELECT 1 AS a; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
CREATE TRIGGER slimmed BEFORE UPDATE ON fresh FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----

check
CREATE TRIGGER slimmed BEFORE UPDATE ON scratch FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----

rollback
----

# To drop one is only a lock.
setup
CREATE TRIGGER slimmed BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----

check
DROP TRIGGER slimmed ON users
----

locks
DROP TRIGGER slimmed ON users
----

check unknown
CREATE TRIGGER slimmed BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
----
