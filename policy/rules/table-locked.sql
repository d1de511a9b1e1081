setup
CREATE TABLE users (id int)
----

check
LOCK TABLE users
----
warn
  LOCK TABLE keeps readers and writers of "users" waiting until the transaction ends; use an advisory lock, or lock the rows
  hint: At least bound the wait: SET LOCAL lock_timeout = '500ms'; before it.

# Nobody waits who only reads or writes.
check
LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE
----
pass

locks
LOCK TABLE users
----
users AccessExclusiveLock

check
LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE NOWAIT
----
warn
  LOCK TABLE keeps writers of "users" waiting until the transaction ends; use an advisory lock, or lock the rows

check
LOCK TABLE users IN ROW EXCLUSIVE MODE
----
pass
