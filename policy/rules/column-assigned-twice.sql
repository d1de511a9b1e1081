setup
CREATE TABLE t (a int PRIMARY KEY, b int[], c int)
----

check
UPDATE t SET c = 1, b = NULL, "c" = 2 WHERE a = 1
----
block
  column "c" of "t" gets two values in one statement, which the server refuses; leave one of them out

check
INSERT INTO t (a, c, A) VALUES (1, 2, 3)
----
block
  column "a" of "t" gets two values in one statement, which the server refuses; leave one of them out

check
INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET c = 1, c = 2
----
block
  column "c" of "t" gets two values in one statement, which the server refuses; leave one of them out

check
UPDATE t SET (a, c) = (1, 2), c = 3
----
block
  column "c" of "t" gets two values in one statement, which the server refuses; leave one of them out

check
MERGE INTO t USING (VALUES (1)) v (x) ON a = x WHEN MATCHED THEN UPDATE SET c = 1, c = 2
----
block
  column "c" of "t" gets two values in one statement, which the server refuses; leave one of them out

check
UPDATE t SET a = 1, c = a WHERE a = 1
----
pass

check
UPDATE t SET b[1] = 1, b[2] = 2
----
pass

check
WITH w AS (UPDATE t SET c = 1, c = 2 RETURNING a) SELECT * FROM w
----
block
  a query of WITH: column "c" of "t" gets two values in one statement, which the server refuses; leave one of them out

check
DELETE FROM t
----
pass

locks
UPDATE t SET c = 1 WHERE a = 1
----
t RowExclusiveLock
t_pkey RowExclusiveLock
