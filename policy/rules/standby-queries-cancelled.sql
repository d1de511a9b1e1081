setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE empty (a int)
----

begin
----

# The standby holds the lock, too, until the transaction ends.
check standbys=1
ALTER TABLE users ADD COLUMN a int
----
warn
  AccessExclusiveLock on "users" is replayed on the standby and cancels queries there; do it outside of a transaction, so that it is short

check standbys=3
DROP TABLE users
----
warn
  AccessExclusiveLock on "users" is replayed on the 3 standbys and cancels queries there; do it outside of a transaction, so that it is short

# No standby is there.
check
ALTER TABLE users ADD COLUMN a int
----
pass

check standbys=1
CREATE INDEX users_id ON users (id)
----
pass

check standbys=1
ALTER TABLE empty ADD COLUMN b int
----
pass

check standbys=1 small
ALTER TABLE users ADD COLUMN a int
----
pass

rollback
----

# By itself it is short.
check standbys=1
ALTER TABLE users ADD COLUMN a int
----
pass

locks
ALTER TABLE users ADD COLUMN a int
----
users AccessExclusiveLock

check unknown
ALTER TABLE users ADD COLUMN a int
----
pass
