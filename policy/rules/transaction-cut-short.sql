setup
CREATE TABLE t (a int)
----

# What follows is no longer part of the migration's transaction.
check file managed
COMMIT
----
warn
  COMMIT ends the migration tool's transaction, and what follows is not undone when it fails; leave it out

check file managed
ROLLBACK AND CHAIN
----
warn
  ROLLBACK ends the migration tool's transaction, and what follows is not undone when it fails; leave it out

check file managed
BEGIN ISOLATION LEVEL SERIALIZABLE; ALTER TABLE t ADD COLUMN b int; COMMIT
----
warn
  the migration tool has begun a transaction already; leave BEGIN and its COMMIT out, which would end the tool's transaction

check file in
START TRANSACTION
----
warn
  BEGIN within a transaction does nothing, and the next COMMIT ends all of it; COMMIT first, or leave this BEGIN out

check file
BEGIN; ALTER TABLE t ADD COLUMN b int
----
warn
  nothing commits what this BEGIN begins, so that it is rolled back when the connection closes; add COMMIT at the end

check file
END
----
warn
  COMMIT ends no transaction, because none has begun; add BEGIN where it should begin, or leave it out

check file
SAVEPOINT a
----
warn
  SAVEPOINT fails outside of a transaction, and none has begun; add BEGIN before it

check file
LOCK TABLE t IN EXCLUSIVE MODE
----
warn
  LOCK TABLE fails outside of a transaction, and none has begun; add BEGIN before it

check file in
LOCK TABLE t IN EXCLUSIVE MODE
----
pass

check file
BEGIN; ALTER TABLE t ADD COLUMN b int; COMMIT
----
pass

check file
BEGIN; ALTER TABLE t ADD COLUMN b int; ABORT
----
pass

check file in
COMMIT
----
pass

check file managed
SAVEPOINT a
----
pass

# On a connection the server says what state it is in.
check
COMMIT
----
pass

check
BEGIN
----
pass

locks
SAVEPOINT a
----
(none)
