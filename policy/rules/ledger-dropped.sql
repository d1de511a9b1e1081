setup
CREATE SCHEMA pgsluice; CREATE TABLE pgsluice.promises (id int); CREATE TABLE users (id int)
----

# What was promised would never be done.
check
DROP SCHEMA pgsluice CASCADE
----

# Nothing of ours.
check
DROP TABLE users
----

locks
DROP SCHEMA pgsluice CASCADE
----

check
DROP SCHEMA IF EXISTS app, pgsluice
----

check
DROP TABLE pgsluice.promises
----

check
ALTER TABLE pgsluice.promises ADD COLUMN a int
----

check
TRUNCATE pgsluice.promises
----

check
ALTER SCHEMA pgsluice RENAME TO other
----

check
ALTER TABLE users SET SCHEMA pgsluice
----

check
DROP OWNED BY pgsluice_owner
----

check
DROP ROLE pgsluice_owner
----

# The name alone is nothing: a table of that name in another schema is not the ledger.
check
DROP TABLE public.promises
----

setup
SET search_path = pgsluice
----

check
DROP TABLE promises
----

check unknown
DROP SCHEMA pgsluice
----

check
SELECT * FROM pgsluice.promises
----
