setup
CREATE DOMAIN positive AS int; CREATE TABLE counts (n positive); INSERT INTO counts VALUES (1); CREATE TABLE sums (n positive, ns positive[]); INSERT INTO sums VALUES (1);
CREATE DOMAIN unused AS int; CREATE TABLE hollow (n unused); ANALYZE counts, sums
----

# Every table that uses the domain is read, all of them locked against writes.
check
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)
----

# Nobody waits.
check
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0) NOT VALID
----

locks
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)
----

locks
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0) NOT VALID
----

check
ALTER DOMAIN positive SET NOT NULL
----

locks
ALTER DOMAIN positive SET NOT NULL
----

check
ALTER DOMAIN positive ADD CHECK (VALUE > 0)
----

check
ALTER DOMAIN positive DROP NOT NULL
----

check
ALTER DOMAIN positive SET DEFAULT 1
----

# It reads the tables under the same locks: there is no other way.
check
ALTER DOMAIN positive VALIDATE CONSTRAINT positive_check
----

check
ALTER DOMAIN unused ADD CONSTRAINT unused_check CHECK (VALUE > 0)
----

check small
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)
----

begin
CREATE DOMAIN fresh AS int; CREATE TABLE fresher AS SELECT 1::fresh AS a
----

check
ALTER DOMAIN fresh ADD CONSTRAINT fresh_check CHECK (VALUE > 0)
----

check
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)
----

check ledger
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)
----

rollback
----

check
ALTER DOMAIN missing SET NOT NULL
----

check unknown
ALTER DOMAIN positive SET NOT NULL
----

check unknown
ALTER DOMAIN positive ADD CONSTRAINT positive_check CHECK (VALUE > 0)
----
