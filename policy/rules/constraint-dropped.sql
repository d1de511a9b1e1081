setup
CREATE TABLE users (id int PRIMARY KEY, mail text CONSTRAINT mail_once UNIQUE); INSERT INTO users VALUES (1, 'a');
CREATE TABLE orders (id int, user_id int CONSTRAINT of_user REFERENCES users, amount int CONSTRAINT positive CHECK (amount > 0)); INSERT INTO orders VALUES (1, 1, 1);
ALTER TABLE orders ADD CONSTRAINT late CHECK (amount < 100) NOT VALID; ANALYZE users, orders
----

check
ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE
----
block
  CASCADE drops the foreign keys that reference "users" along with "users_pkey"; drop those by name first, then leave CASCADE out
  detail: Table public.users has about 1 rows, 16 kB.
  hint: ALTER TABLE ... DROP CONSTRAINT ... for each of: SELECT conrelid::regclass, conname FROM pg_constraint WHERE confrelid = 'public.users'::regclass;

# The foreign keys go by their names first.
check
ALTER TABLE orders DROP CONSTRAINT late
----
pass

check
ALTER TABLE orders DROP CONSTRAINT of_user
----
warn
  rows of "orders" need no counterpart in "users" once "of_user" is dropped, and both tables are locked for it; release code that does not rely on it first

locks
ALTER TABLE orders DROP CONSTRAINT of_user
----
orders AccessExclusiveLock
users AccessExclusiveLock

check
ALTER TABLE users DROP CONSTRAINT mail_once
----
warn
  dropping "mail_once" takes its index along, so that duplicates may come, and queries by it read all of "users"; build the index that they need first
  detail: Table public.users has about 1 rows, 16 kB.

locks
ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE
----
(uncommitted) AccessExclusiveLock
orders AccessExclusiveLock
users AccessExclusiveLock

check
ALTER TABLE orders DROP CONSTRAINT IF EXISTS positive, DROP CONSTRAINT IF EXISTS nothing
----
warn
  rows of "orders" may break "positive" once it is dropped; add what takes its place first, NOT VALID, since they may not pass it again

check unknown
ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE
----
block
  CASCADE drops the foreign keys that reference "users" along with "users_pkey"; drop those by name first, then leave CASCADE out
  unknown: which foreign keys depend on the constraint

check unknown
ALTER TABLE orders DROP CONSTRAINT positive
----
pass

begin
CREATE TABLE fresh (a int CONSTRAINT here CHECK (a > 0))
----

check
ALTER TABLE fresh DROP CONSTRAINT here CASCADE
----
pass

rollback
----

# What a check proved is said by the column itself now.
setup
CREATE TABLE proven (a int NOT NULL CONSTRAINT there CHECK (a IS NOT NULL), b int CONSTRAINT alone CHECK (b IS NOT NULL))
----

check
ALTER TABLE proven DROP CONSTRAINT there
----
pass

check
ALTER TABLE proven DROP CONSTRAINT alone
----
warn
  rows of "proven" may break "alone" once it is dropped; add what takes its place first, NOT VALID, since they may not pass it again
