check
CREATE EXTENSION IF NOT EXISTS "uuid-ossp"
----
warn
  CREATE EXTENSION "uuid-ossp" runs a script that pgsluice does not see; install it with the database, not in a migration

# It is there: nothing happens.
check
CREATE EXTENSION IF NOT EXISTS plpgsql
----
pass

check
ALTER EXTENSION plpgsql UPDATE
----
warn
  ALTER EXTENSION plpgsql runs a script that pgsluice does not see and may lock tables; do it in a maintenance window

# Refused while it is used.
check
DROP EXTENSION plpgsql
----
pass

locks
CREATE EXTENSION IF NOT EXISTS plpgsql
----
(none)

check unknown
CREATE EXTENSION plpgsql
----
warn
  CREATE EXTENSION plpgsql runs a script that pgsluice does not see; install it with the database, not in a migration
  unknown: whether extension "plpgsql" is installed

# The configuration allows it.
check agreed
CREATE EXTENSION "uuid-ossp"
----
pass

check agreed
CREATE EXTENSION IF NOT EXISTS postgis
----
warn
  CREATE EXTENSION postgis runs a script that pgsluice does not see; install it with the database, not in a migration
