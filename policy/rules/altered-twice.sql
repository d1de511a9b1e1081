setup
CREATE TABLE users (id int); CREATE TABLE orders (id int)
----

begin
ALTER TABLE users ADD COLUMN a int
----

check action=warn
ALTER TABLE users ADD COLUMN b int
----

check
ALTER TABLE orders ADD COLUMN b int
----

rollback
----

check
ALTER TABLE users ADD COLUMN a int, ADD COLUMN b int
----

begin
CREATE TABLE fresh (a int)
----

check
ALTER TABLE fresh ADD COLUMN b int
----

rollback
----

locks
ALTER TABLE users ADD COLUMN a int, ADD COLUMN b int
----

check unknown
ALTER TABLE users ADD COLUMN b int
----
