setup
CREATE SCHEMA pgsluice; CREATE TABLE pgsluice.promises (id int); CREATE TABLE users (id int)
----

# What was promised would never be done.
check
DROP SCHEMA pgsluice CASCADE
----
block
  dropping schema pgsluice breaks pgsluice's ledger of schema changes; leave schema pgsluice alone and out of schema comparisons
  hint: What is still promised: pgsluice jobs list. To remove pgsluice from this database, use a direct connection.

# Nothing of ours.
check
DROP TABLE users
----
pass

locks
DROP SCHEMA pgsluice CASCADE
----
(uncommitted) AccessExclusiveLock

check
DROP SCHEMA IF EXISTS app, pgsluice
----
block
  dropping schema pgsluice breaks pgsluice's ledger of schema changes; leave schema pgsluice alone and out of schema comparisons
  hint: What is still promised: pgsluice jobs list. To remove pgsluice from this database, use a direct connection.

check
DROP TABLE pgsluice.promises
----
block
  dropping pgsluice.promises breaks pgsluice's ledger of schema changes; leave schema pgsluice alone and out of schema comparisons
  hint: What is still promised: pgsluice jobs list. To remove pgsluice from this database, use a direct connection.

check
ALTER TABLE pgsluice.promises ADD COLUMN a int
----
block
  altering pgsluice.promises breaks pgsluice's ledger of schema changes; leave schema pgsluice alone and out of schema comparisons
  hint: What is still promised: pgsluice jobs list. To remove pgsluice from this database, use a direct connection.

check
TRUNCATE pgsluice.promises
----
block
  emptying pgsluice.promises breaks pgsluice's ledger of schema changes; leave schema pgsluice alone and out of schema comparisons
  hint: What is still promised: pgsluice jobs list. To remove pgsluice from this database, use a direct connection.

check
ALTER SCHEMA pgsluice RENAME TO other
----
block
  renaming schema pgsluice breaks pgsluice's ledger of schema changes; leave schema pgsluice alone and out of schema comparisons
  hint: What is still promised: pgsluice jobs list. To remove pgsluice from this database, use a direct connection.

check
ALTER TABLE users SET SCHEMA pgsluice
----
block
  moving users into schema pgsluice breaks pgsluice's ledger of schema changes; leave schema pgsluice alone and out of schema comparisons
  hint: What is still promised: pgsluice jobs list. To remove pgsluice from this database, use a direct connection.

check
DROP OWNED BY pgsluice_owner
----
block
  DROP OWNED BY pgsluice_owner breaks pgsluice's ledger of schema changes; leave schema pgsluice alone and out of schema comparisons
  hint: What is still promised: pgsluice jobs list. To remove pgsluice from this database, use a direct connection.

check
DROP ROLE pgsluice_owner
----
block
  dropping role pgsluice_owner breaks pgsluice's ledger of schema changes; leave schema pgsluice alone and out of schema comparisons
  hint: What is still promised: pgsluice jobs list. To remove pgsluice from this database, use a direct connection.

# The name alone is nothing: a table of that name in another schema is not the ledger.
check
DROP TABLE public.promises
----
pass

setup
SET search_path = pgsluice
----

check
DROP TABLE promises
----
block
  dropping promises breaks pgsluice's ledger of schema changes; leave schema pgsluice alone and out of schema comparisons
  hint: What is still promised: pgsluice jobs list. To remove pgsluice from this database, use a direct connection.

check unknown
DROP SCHEMA pgsluice
----
block
  dropping schema pgsluice breaks pgsluice's ledger of schema changes; leave schema pgsluice alone and out of schema comparisons
  hint: What is still promised: pgsluice jobs list. To remove pgsluice from this database, use a direct connection.

check
SELECT * FROM pgsluice.promises
----
pass
