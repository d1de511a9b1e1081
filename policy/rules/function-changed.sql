setup
CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * a'; CREATE TABLE users (id int); CREATE INDEX users_twice ON users (twice(id));
CREATE FUNCTION pinned() RETURNS int LANGUAGE sql SET search_path = pg_catalog AS 'SELECT 1';
CREATE FUNCTION many(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION many(a text) RETURNS int LANGUAGE sql AS 'SELECT 1'
----

# Who can create objects has its owner's rights.
check
CREATE FUNCTION admin() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'
----

check
CREATE FUNCTION admin() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1'
----

locks
CREATE FUNCTION admin() RETURNS int LANGUAGE sql AS 'SELECT 1'
----

check
ALTER FUNCTION twice(int) SECURITY DEFINER
----

check
ALTER FUNCTION pinned() SECURITY DEFINER
----

# The index no longer is what the function says.
check
CREATE OR REPLACE FUNCTION twice(a int) RETURNS int LANGUAGE sql AS 'SELECT 2 * a'
----

check
CREATE OR REPLACE FUNCTION twice(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + a'
----

check
ALTER FUNCTION pinned() STABLE
----

check
ALTER FUNCTION pinned() COST 5
----

# Which of the two is told by its arguments.
check
ALTER FUNCTION many(int) IMMUTABLE
----

begin
CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 1'
----

check
ALTER FUNCTION fresh() IMMUTABLE
----

rollback
----

check unknown
CREATE OR REPLACE FUNCTION twice(a int) RETURNS int LANGUAGE sql AS 'SELECT 2 * a'
----

check unknown
ALTER FUNCTION pinned() SECURITY DEFINER
----
