setup
CREATE TABLE users (id int PRIMARY KEY)
----

check
CREATE TABLE logs (at timestamptz, line text)
----

check
CREATE TABLE logs (id bigint PRIMARY KEY)
----

check
CREATE TABLE logs (a int, b int, CONSTRAINT logs_key PRIMARY KEY (a, b))
----

check
CREATE TABLE logs (a int UNIQUE)
----

# They have theirs from elsewhere, or need none.
check
CREATE TEMPORARY TABLE logs (a int)
----

check
CREATE TABLE logs (LIKE users INCLUDING ALL)
----

check
CREATE TABLE logs PARTITION OF users FOR VALUES FROM (1) TO (2)
----

check
CREATE TABLE logs AS SELECT 1 AS a
----

check
CREATE FOREIGN TABLE logs (a int) SERVER s
----

check
CREATE TABLE logs () INHERITS (users)
----

locks
CREATE TABLE logs (a int)
----
