setup
CREATE TABLE t (a int)
----

# The timeout is gone before the next statement.
check file
SET LOCAL lock_timeout = '2s'
----
warn
  SET LOCAL lock_timeout has no effect outside of a transaction; write SET lock_timeout, or BEGIN before it
  hint: SET lock_timeout = '2s';

check file
set local statement_timeout to default
----
warn
  SET LOCAL statement_timeout has no effect outside of a transaction; write SET statement_timeout, or BEGIN before it

check file
SELECT set_config('lock_timeout', '2s', true)
----
warn
  set_config of lock_timeout for the transaction has no effect outside of one; give it false for its third argument, or write BEGIN before it

check file
SELECT set_config('lock_timeout', '2s', false)
----
pass

check file
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
----
warn
  SET TRANSACTION has no effect outside of a transaction; write BEGIN before it

check file
SET CONSTRAINTS ALL DEFERRED
----
warn
  SET CONSTRAINTS has no effect outside of a transaction; write BEGIN before it

check file
SET lock_timeout = '2s'
----
pass

check file
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
----
pass

check file in
SET LOCAL lock_timeout = '2s'
----
pass

check file in
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
----
pass

# On a connection pgsluice asks the server what is set.
check
SET LOCAL lock_timeout = '2s'
----
pass

locks
SET LOCAL lock_timeout = '2s'
----
(none)
