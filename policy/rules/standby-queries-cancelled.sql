setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE empty (a int)
----

begin
----

# The standby holds the lock, too, until the transaction ends.
check standbys=1
ALTER TABLE users ADD COLUMN a int
----

check standbys=3
DROP TABLE users
----

# No standby is there.
check
ALTER TABLE users ADD COLUMN a int
----

check standbys=1
CREATE INDEX users_id ON users (id)
----

check standbys=1
ALTER TABLE empty ADD COLUMN b int
----

check standbys=1 small
ALTER TABLE users ADD COLUMN a int
----

rollback
----

# By itself it is short.
check standbys=1
ALTER TABLE users ADD COLUMN a int
----

locks
ALTER TABLE users ADD COLUMN a int
----

check unknown
ALTER TABLE users ADD COLUMN a int
----
