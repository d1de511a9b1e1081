setup
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE people (id int, m mood); INSERT INTO people VALUES (1, 'ok')
----

begin
ALTER TYPE mood ADD VALUE 'happy'
----

# The server fails it, and the migration with it.
check
ALTER TABLE people ADD COLUMN n mood DEFAULT 'happy'
----
block
  value "happy" of type public.mood was added by this transaction and cannot be used before its COMMIT; use it in the next migration
  detail: The server would fail the statement: unsafe use of new value.
  hint: End the migration behind ALTER TYPE ... ADD VALUE, and put what uses the value into one of its own.

check
CREATE INDEX people_happy ON people (id) WHERE m = 'happy'::mood
----
block
  value "happy" of type public.mood was added by this transaction and cannot be used before its COMMIT; use it in the next migration
  detail: The server would fail the statement: unsafe use of new value.
  hint: End the migration behind ALTER TYPE ... ADD VALUE, and put what uses the value into one of its own.

check
UPDATE people SET m = 'happy'::public.mood
----
block
  value "happy" of type public.mood was added by this transaction and cannot be used before its COMMIT; use it in the next migration
  detail: The server would fail the statement: unsafe use of new value.
  hint: End the migration behind ALTER TYPE ... ADD VALUE, and put what uses the value into one of its own.

check
CREATE TABLE moods (id bigint PRIMARY KEY, m public.mood NOT NULL DEFAULT 'happy')
----
block
  value "happy" of type public.mood was added by this transaction and cannot be used before its COMMIT; use it in the next migration
  detail: The server would fail the statement: unsafe use of new value.
  hint: End the migration behind ALTER TYPE ... ADD VALUE, and put what uses the value into one of its own.

check
CREATE TABLE moods (id bigint PRIMARY KEY, m mood DEFAULT 'ok', t text DEFAULT 'happy')
----
pass

# Values that were there can be used.
check
ALTER TABLE people ADD COLUMN n mood DEFAULT 'ok'
----
pass

# A text that looks the same is no value.
check
ALTER TABLE people ADD COLUMN n text DEFAULT 'happy'
----
pass

check
UPDATE people SET m = 'ok'::mood
----
pass

rollback
----

# A type of this transaction has no value that others could miss.
begin
CREATE TYPE newer AS ENUM ('x'); ALTER TYPE newer ADD VALUE 'y'
----

check
ALTER TABLE people ADD COLUMN n newer DEFAULT 'y'
----
pass

rollback
----

locks
ALTER TYPE mood ADD VALUE 'happy'
----
(none)

check unknown
ALTER TABLE people ADD COLUMN n mood DEFAULT 'happy'
----
pass
