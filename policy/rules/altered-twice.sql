setup
CREATE TABLE users (id int); CREATE TABLE orders (id int)
----

begin
ALTER TABLE users ADD COLUMN a int
----

check action=warn
ALTER TABLE users ADD COLUMN b int
----
warn
  table "users" is altered once more in one transaction; join the commands into one ALTER TABLE

check
ALTER TABLE orders ADD COLUMN b int
----
pass

rollback
----

check
ALTER TABLE users ADD COLUMN a int, ADD COLUMN b int
----
pass

begin
CREATE TABLE fresh (a int)
----

check
ALTER TABLE fresh ADD COLUMN b int
----
pass

rollback
----

locks
ALTER TABLE users ADD COLUMN a int, ADD COLUMN b int
----
users AccessExclusiveLock

check unknown
ALTER TABLE users ADD COLUMN b int
----
pass
