setup
CREATE TABLE users (id int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'
----

check
GRANT SELECT, UPDATE ON users TO PUBLIC
----
warn
  GRANT SELECT, UPDATE ON users TO PUBLIC gives it to every login of the server; name the role

check
GRANT SELECT, INSERT ON users TO app
----
pass

# No lock that anybody waits for.
locks
GRANT EXECUTE ON FUNCTION f() TO CURRENT_USER
----
(none)

locks major=18
GRANT SELECT ON users TO CURRENT_USER
----
users AccessShareLock

check
GRANT ALL ON users TO app, reports
----
warn
  GRANT ALL ON users gives app and reports more than it needs; name the privileges, as in GRANT SELECT, INSERT, UPDATE, DELETE

check
GRANT ALL ON SCHEMA public TO app
----
warn
  GRANT ALL gives app more than it needs; name the privileges, as in GRANT USAGE

check
GRANT pg_write_all_data, pg_monitor TO app
----
warn
  GRANT pg_write_all_data makes app nearly a superuser; grant privileges on the objects that are needed

check
GRANT app TO reports
----
pass

# Everybody may do that from the start.
check
GRANT EXECUTE ON FUNCTION f() TO PUBLIC
----
pass

check
REVOKE ALL ON users FROM PUBLIC
----
pass

check unknown
GRANT ALL ON users TO PUBLIC
----
warn
  GRANT ALL ON users TO PUBLIC gives it to every login of the server; name the role

# Nobody sees it in the tables to come.
check
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO app, PUBLIC
----
warn
  GRANT TO PUBLIC by default gives every table that is made from now on to every login of the server; name the role

check
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app
----
pass

check
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC
----
pass

check
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC
----
pass
