setup
CREATE TABLE orders (id int PRIMARY KEY, a int NOT NULL, b int)
----

check
ALTER TABLE orders ALTER COLUMN a DROP NOT NULL
----
warn
  "a" of "orders" may be NULL from now on; see that all code that reads it can deal with that

# It may be NULL already.
check
ALTER TABLE orders ALTER COLUMN b DROP NOT NULL
----
pass

locks
ALTER TABLE orders ALTER COLUMN a DROP NOT NULL
----
orders AccessExclusiveLock

check unknown
ALTER TABLE orders ALTER COLUMN a DROP NOT NULL
----
warn
  "a" of "orders" may be NULL from now on; see that all code that reads it can deal with that
  unknown: whether "a" is NOT NULL now

begin
CREATE TABLE fresh (a int NOT NULL)
----

check
ALTER TABLE fresh ALTER a DROP NOT NULL
----
pass

rollback
----
