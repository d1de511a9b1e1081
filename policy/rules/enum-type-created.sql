check action=warn
CREATE TYPE mood AS ENUM ('sad', 'ok')
----

check
CREATE TYPE mood AS (a int, b text)
----

locks
CREATE TYPE mood AS ENUM ('sad', 'ok')
----
