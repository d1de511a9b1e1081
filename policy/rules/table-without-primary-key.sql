setup
CREATE TABLE users (id int PRIMARY KEY)
----

check
CREATE TABLE logs (at timestamptz, line text)
----
warn
  table "logs" has no primary key: replication and batches need one; add id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY

check
CREATE TABLE logs (id bigint PRIMARY KEY)
----
pass

check
CREATE TABLE logs (a int, b int, CONSTRAINT logs_key PRIMARY KEY (a, b))
----
pass

check
CREATE TABLE logs (a int UNIQUE)
----
warn
  table "logs" has no primary key: replication and batches need one; add id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY

# They have theirs from elsewhere, or need none.
check
CREATE TEMPORARY TABLE logs (a int)
----
pass

check
CREATE TABLE logs (LIKE users INCLUDING ALL)
----
pass

check
CREATE TABLE logs PARTITION OF users FOR VALUES FROM (1) TO (2)
----
pass

check
CREATE TABLE logs AS SELECT 1 AS a
----
pass

check
CREATE FOREIGN TABLE logs (a int) SERVER s
----
pass

check
CREATE TABLE logs () INHERITS (users)
----
pass

locks
CREATE TABLE logs (a int)
----
logs AccessExclusiveLock

# One that is there stays as it is.
setup
CREATE TABLE there (id int PRIMARY KEY)
----

check
CREATE TABLE IF NOT EXISTS there (id int)
----
pass

check
CREATE TABLE IF NOT EXISTS not_there (id int)
----
warn
  table "not_there" has no primary key: replication and batches need one; add id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
