setup
CREATE TABLE t (id int PRIMARY KEY, a int);
INSERT INTO t VALUES (1, 1);
CREATE TEMPORARY TABLE scratch (id int);
----

check session=none
ALTER TABLE t ADD COLUMN b int
----
block
  ALTER TABLE t belongs to no migration; put it into one
  hint: Or say which it belongs to: SET pgsluice.revision = '...'

check session=none action=warn
CREATE TABLE u (id int PRIMARY KEY)
----
warn
  CREATE TABLE u belongs to no migration; put it into one
  hint: Or say which it belongs to: SET pgsluice.revision = '...'

check session=none
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'
----
block
  CREATE FUNCTION f belongs to no migration; put it into one
  hint: Or say which it belongs to: SET pgsluice.revision = '...'

check session=none
DO $$ BEGIN CREATE TABLE w (id int); END $$
----
block
  line 1 of the DO block: CREATE TABLE w belongs to no migration; put it into one
  hint: Or say which it belongs to: SET pgsluice.revision = '...'

check session=migration
ALTER TABLE t ADD COLUMN b int
----
pass

# Nothing is known of a session: lint, explain.
check
ALTER TABLE t ADD COLUMN b int
----
pass

# Scratch and upkeep.
check session=none
CREATE TEMPORARY TABLE s (id int)
----
pass

check session=none
CREATE INDEX ON scratch (id)
----
pass

check session=none
VACUUM t
----
pass

check session=none
TRUNCATE t
----
pass

check session=none
UPDATE t SET a = 2
----
pass

locks
ALTER TABLE t ADD COLUMN b int
----
t AccessExclusiveLock
