check action=warn
CREATE DOMAIN positive AS int CHECK (VALUE > 0)
----
warn
  a constraint on domain positive rewrites every table that gets a column of it; use the base type and a CHECK on the table

check
CREATE DOMAIN positive AS int NOT NULL
----
block
  a constraint on domain positive rewrites every table that gets a column of it; use the base type and a CHECK on the table

check
CREATE DOMAIN positive AS int
----
pass

locks
CREATE DOMAIN positive AS int CHECK (VALUE > 0)
----
(none)
