setup
CREATE TABLE t (id int); CREATE SCHEMA app; CREATE DOMAIN app.json AS text; CREATE DOMAIN document AS json
----

# Values of it cannot be compared.
check
ALTER TABLE t ADD COLUMN payload json
----
warn
  queries with DISTINCT, UNION or GROUP BY over the rows of "t" fail once it has "payload" of type json; use jsonb

check
ALTER TABLE t ADD COLUMN payload jsonb
----
pass

locks
ALTER TABLE t ADD COLUMN payload json
----
t AccessExclusiveLock

check
ALTER TABLE t ADD COLUMN payloads "json"[], ADD COLUMN doc document
----
warn
  queries with DISTINCT, UNION or GROUP BY over the rows of "t" fail once it has "payloads" of type json; use jsonb
  queries with DISTINCT, UNION or GROUP BY over the rows of "t" fail once it has "doc" of type json; use jsonb

# Another type of that name.
check
ALTER TABLE t ADD COLUMN payload app.json
----
pass

begin
CREATE TABLE fresh (id int)
----

check
ALTER TABLE fresh ADD COLUMN payload json
----
pass

rollback
----

check unknown
ALTER TABLE t ADD COLUMN payload json
----
warn
  queries with DISTINCT, UNION or GROUP BY over the rows of "t" fail once it has "payload" of type json; use jsonb
