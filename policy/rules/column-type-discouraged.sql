check action=warn
CREATE TABLE t (id serial PRIMARY KEY, a char(3), b varchar(20), c timestamp, d money, e json)
----

check
CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text, b varchar, c timestamptz(3), d numeric(10,2), e jsonb, n int)
----

check
CREATE TABLE t (a int, b smallint, PRIMARY KEY (a, b))
----

check
ALTER TABLE t ADD COLUMN a timestamp without time zone, ADD COLUMN b int
----

check
ALTER TABLE t ALTER COLUMN a TYPE varchar(10)
----

check
CREATE TEMPORARY TABLE t (a json)
----

check
CREATE TABLE t (a app.json)
----

locks
CREATE TABLE t (a timestamp)
----
