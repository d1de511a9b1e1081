check action=warn
CREATE DOMAIN positive AS int CHECK (VALUE > 0)
----

check
CREATE DOMAIN positive AS int NOT NULL
----

check
CREATE DOMAIN positive AS int
----

locks
CREATE DOMAIN positive AS int CHECK (VALUE > 0)
----
