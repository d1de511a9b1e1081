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

check
CREATE INDEX people_happy ON people (id) WHERE m = 'happy'::mood
----

check
UPDATE people SET m = 'happy'::public.mood
----

# Values that were there can be used.
check
ALTER TABLE people ADD COLUMN n mood DEFAULT 'ok'
----

# A text that looks the same is no value.
check
ALTER TABLE people ADD COLUMN n text DEFAULT 'happy'
----

check
UPDATE people SET m = 'ok'::mood
----

rollback
----

# A type of this transaction has no value that others could miss.
begin
CREATE TYPE newer AS ENUM ('x'); ALTER TYPE newer ADD VALUE 'y'
----

check
ALTER TABLE people ADD COLUMN n newer DEFAULT 'y'
----

rollback
----

locks
ALTER TYPE mood ADD VALUE 'happy'
----

check unknown
ALTER TABLE people ADD COLUMN n mood DEFAULT 'happy'
----
