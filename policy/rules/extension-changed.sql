check
CREATE EXTENSION IF NOT EXISTS "uuid-ossp"
----

# It is there: nothing happens.
check
CREATE EXTENSION IF NOT EXISTS plpgsql
----

check
ALTER EXTENSION plpgsql UPDATE
----

# Refused while it is used.
check
DROP EXTENSION plpgsql
----

locks
CREATE EXTENSION IF NOT EXISTS plpgsql
----

check unknown
CREATE EXTENSION plpgsql
----
