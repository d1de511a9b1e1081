check action=warn
CREATE TABLE t (id serial PRIMARY KEY, a char(3), b varchar(20), c timestamp, d money, e json)
----
warn
  column "id" has a type that is regretted later; use bigint GENERATED ALWAYS AS IDENTITY
  column "a" has a type that is regretted later; use text: char(n) pads with blanks
  column "b" has a type that is regretted later; use text with a CHECK: varchar(n) is hard to change
  column "c" has a type that is regretted later; use timestamptz: a time without its zone is no moment
  column "d" has a type that is regretted later; use numeric: money depends on the locale
  column "e" has a type that is regretted later; use jsonb: json has no equality

check
CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text, b varchar, c timestamptz(3), d numeric(10,2), e jsonb, n int)
----
pass

check
CREATE TABLE t (a int, b smallint, PRIMARY KEY (a, b))
----
block
  column "a" has a type that is regretted later; use bigint: the key will run out of numbers
  column "b" has a type that is regretted later; use bigint: the key will run out of numbers

check
ALTER TABLE t ADD COLUMN a timestamp without time zone, ADD COLUMN b int
----
block
  column "a" has a type that is regretted later; use timestamptz: a time without its zone is no moment

check
ALTER TABLE t ALTER COLUMN a TYPE varchar(10)
----
pass

check
CREATE TEMPORARY TABLE t (a json)
----
pass

check
CREATE TABLE t (a app.json)
----
pass

locks
CREATE TABLE t (a timestamp)
----
t AccessExclusiveLock
