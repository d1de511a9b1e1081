check action=warn
CREATE TYPE mood AS ENUM ('sad', 'ok')
----
warn
  values of enum mood can never be removed; use a table of values and a foreign key, or text with a CHECK

check
CREATE TYPE mood AS (a int, b text)
----
pass

locks
CREATE TYPE mood AS ENUM ('sad', 'ok')
----
(none)
