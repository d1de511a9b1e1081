setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users SELECT generate_series(1, 100); ANALYZE users; CREATE TABLE empty (a int PRIMARY KEY)
----

# It is copied, and nobody can use it.
check
VACUUM FULL users
----
block
  VACUUM FULL copies "users" while nobody can read or write it; use pg_repack, or a plain VACUUM
  detail: Table public.users has about 100 rows, 8192 bytes.
  hint: pg_repack --table public.users

# A plain one keeps nobody out.
check
VACUUM users
----
pass

check
vacuum (full, analyze) empty, public.users
----
block
  VACUUM FULL copies "users" while nobody can read or write it; use pg_repack, or a plain VACUUM
  detail: Table public.users has about 100 rows, 8192 bytes.
  hint: pg_repack --table public.users

check
CLUSTER users USING users_pkey
----
block
  CLUSTER copies "users" while nobody can read or write it; use pg_repack, or a plain VACUUM
  detail: Table public.users has about 100 rows, 8192 bytes.
  hint: pg_repack --table public.users

locks
CLUSTER users USING users_pkey
----
(uncommitted) AccessExclusiveLock
users AccessExclusiveLock
users ShareLock
users_pkey AccessExclusiveLock
users_pkey AccessShareLock

check
VACUUM (FULL false) users
----
pass

# The whole database.
check
VACUUM FULL
----
block
  VACUUM FULL without a table copies one table of the database after the other while nobody can read or write it; name those that need it, and use pg_repack

check
CLUSTER
----
block
  CLUSTER without a table copies one table of the database after the other while nobody can read or write it; name those that need it, and use pg_repack

check unknown
VACUUM FULL users
----
block
  VACUUM FULL copies "users" while nobody can read or write it; use pg_repack, or a plain VACUUM
  unknown: the size of "users"

check
VACUUM FULL empty
----
pass

check small
CLUSTER users USING users_pkey
----
pass

check
VACUUM FULL missing
----
pass

begin
CREATE TABLE fresh AS SELECT * FROM users; CREATE INDEX fresh_id ON fresh (id)
----

check
CLUSTER fresh USING fresh_id
----
pass

check
CLUSTER users USING users_pkey
----
block
  CLUSTER copies "users" while nobody can read or write it; use pg_repack, or a plain VACUUM
  detail: Table public.users has about 100 rows, 8192 bytes.
  hint: pg_repack --table public.users

# The server refuses it in a transaction.
check
VACUUM FULL users
----
pass

rollback
----
