setup
CREATE TABLE users (id int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'
----

check
GRANT SELECT, UPDATE ON users TO PUBLIC
----

check
GRANT SELECT, INSERT ON users TO app
----

# No lock that anybody waits for; from 18 on it takes ACCESS SHARE.
locks
GRANT SELECT ON users TO CURRENT_USER
----

check
GRANT ALL ON users TO app, reports
----

check
GRANT ALL ON SCHEMA public TO app
----

check
GRANT pg_write_all_data, pg_monitor TO app
----

check
GRANT app TO reports
----

# Everybody may do that from the start.
check
GRANT EXECUTE ON FUNCTION f() TO PUBLIC
----

check
REVOKE ALL ON users FROM PUBLIC
----

check unknown
GRANT ALL ON users TO PUBLIC
----
