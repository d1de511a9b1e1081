setup
CREATE TABLE users (id int)
----

check
LOCK TABLE users
----

# Nobody waits who only reads or writes.
check
LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE
----

locks
LOCK TABLE users
----

check
LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE NOWAIT
----

check
LOCK TABLE users IN ROW EXCLUSIVE MODE
----
