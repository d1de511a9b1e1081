setup
CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * a'; CREATE TABLE users (id int); CREATE INDEX users_twice ON users (twice(id));
CREATE FUNCTION pinned() RETURNS int LANGUAGE sql SET search_path = pg_catalog AS 'SELECT 1';
CREATE FUNCTION many(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION many(a text) RETURNS int LANGUAGE sql AS 'SELECT 1'
----

# Who can create objects has its owner's rights.
check
CREATE FUNCTION admin() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'
----
warn
  SECURITY DEFINER function admin looks names up in its caller's search_path; add SET search_path = pg_catalog, pg_temp

check
CREATE FUNCTION admin() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1'
----
pass

locks
CREATE FUNCTION admin() RETURNS int LANGUAGE sql AS 'SELECT 1'
----
(none)

check
ALTER FUNCTION twice(int) SECURITY DEFINER
----
warn
  SECURITY DEFINER function twice looks names up in its caller's search_path; add SET search_path = pg_catalog, pg_temp

check
ALTER FUNCTION pinned() SECURITY DEFINER
----
pass

# The index no longer is what the function says.
check
CREATE OR REPLACE FUNCTION twice(a int) RETURNS int LANGUAGE sql AS 'SELECT 2 * a'
----
warn
  function twice changes from IMMUTABLE to VOLATILE for everything that uses it; make a new function beside it
  detail: It is used by index public.users_twice.

check
CREATE OR REPLACE FUNCTION twice(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + a'
----
pass

check
ALTER FUNCTION pinned() STABLE
----
warn
  function pinned changes from VOLATILE to STABLE for everything that uses it; make a new function beside it

check
ALTER FUNCTION pinned() COST 5
----
pass

# Which of the two is told by its arguments.
check
ALTER FUNCTION many(int) IMMUTABLE
----
pass

begin
CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 1'
----

check
ALTER FUNCTION fresh() IMMUTABLE
----
pass

rollback
----

check unknown
CREATE OR REPLACE FUNCTION twice(a int) RETURNS int LANGUAGE sql AS 'SELECT 2 * a'
----
pass

check unknown
ALTER FUNCTION pinned() SECURITY DEFINER
----
warn
  SECURITY DEFINER function pinned looks names up in its caller's search_path; add SET search_path = pg_catalog, pg_temp
