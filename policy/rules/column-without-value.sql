setup
CREATE TABLE t (id int, a int); INSERT INTO t VALUES (1, 1); CREATE TABLE empty (id int); CREATE DOMAIN seven AS int DEFAULT 7; CREATE DOMAIN needed AS int NOT NULL
----

# It fails: the rows have no value.
check
ALTER TABLE t ADD COLUMN email text NOT NULL
----
block
  "email" is NOT NULL, and the rows of "t" have no value for it; give it a default that is constant, or add it without NOT NULL, fill it and SET NOT NULL
  hint: ALTER TABLE t ADD COLUMN email text;
    UPDATE t SET email = ... WHERE email IS NULL; -- in batches
    ALTER TABLE t ALTER COLUMN email SET NOT NULL;

check
ALTER TABLE t ADD COLUMN email text NOT NULL DEFAULT ''
----
pass

locks
ALTER TABLE t ADD COLUMN email text NOT NULL DEFAULT ''
----
t AccessExclusiveLock

check small
ALTER TABLE t ADD COLUMN "Key" int PRIMARY KEY
----
block
  "Key" is NOT NULL, and the rows of "t" have no value for it; give it a default that is constant, or add it without NOT NULL, fill it and SET NOT NULL
  hint: ALTER TABLE t ADD COLUMN "Key" int;
    UPDATE t SET "Key" = ... WHERE "Key" IS NULL; -- in batches
    ALTER TABLE t ALTER COLUMN "Key" SET NOT NULL;

check
ALTER TABLE t ADD COLUMN a1 int GENERATED ALWAYS AS IDENTITY, ADD a2 serial, ADD a3 int NOT NULL GENERATED ALWAYS AS (1) STORED, ADD a4 seven NOT NULL, ADD a5 text
----
pass

check
ALTER TABLE t ADD COLUMN IF NOT EXISTS a int NOT NULL
----
pass

check
ALTER TABLE empty ADD COLUMN email text NOT NULL
----
pass

begin
CREATE TABLE fresh (id int)
----

check
ALTER TABLE fresh ADD COLUMN email text NOT NULL
----
pass

rollback
----

check unknown
ALTER TABLE t ADD COLUMN email text NOT NULL
----
block
  "email" is NOT NULL, and the rows of "t" have no value for it; give it a default that is constant, or add it without NOT NULL, fill it and SET NOT NULL
  hint: ALTER TABLE t ADD COLUMN email text;
    UPDATE t SET email = ... WHERE email IS NULL; -- in batches
    ALTER TABLE t ALTER COLUMN email SET NOT NULL;
  unknown: whether table "t" has rows

# There is one already: the server says so.
setup
ALTER TABLE t ADD PRIMARY KEY (id)
----

check
ALTER TABLE t ADD COLUMN other int PRIMARY KEY
----
pass

# What is dropped goes first.
check
ALTER TABLE t DROP COLUMN a, ADD COLUMN a int NOT NULL
----
block
  "a" is NOT NULL, and the rows of "t" have no value for it; give it a default that is constant, or add it without NOT NULL, fill it and SET NOT NULL
  hint: ALTER TABLE t DROP COLUMN a, ADD COLUMN a int;
    UPDATE t SET a = ... WHERE a IS NULL; -- in batches
    ALTER TABLE t ALTER COLUMN a SET NOT NULL;

# What else the statement does stays.
check
ALTER TABLE t ADD COLUMN note text, ADD COLUMN price int NOT NULL
----
block
  "price" is NOT NULL, and the rows of "t" have no value for it; give it a default that is constant, or add it without NOT NULL, fill it and SET NOT NULL
  hint: ALTER TABLE t ADD COLUMN note text, ADD COLUMN price int;
    UPDATE t SET price = ... WHERE price IS NULL; -- in batches
    ALTER TABLE t ALTER COLUMN price SET NOT NULL;

# A default that is no value is none.
check
ALTER TABLE t ADD COLUMN code text NOT NULL DEFAULT Null
----
block
  "code" is NOT NULL, and the rows of "t" have no value for it; give it a default that is constant, or add it without NOT NULL, fill it and SET NOT NULL
  hint: ALTER TABLE t ADD COLUMN code text;
    UPDATE t SET code = ... WHERE code IS NULL; -- in batches
    ALTER TABLE t ALTER COLUMN code SET NOT NULL;

check
ALTER TABLE t ADD COLUMN code text DEFAULT NULL
----
pass
