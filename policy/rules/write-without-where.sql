setup
CREATE TABLE users (id int PRIMARY KEY, email text, seen bool); INSERT INTO users VALUES (1); CREATE TABLE empty (a int);
CREATE TABLE orders (user_id int); INSERT INTO orders VALUES (1); CREATE VIEW v AS SELECT * FROM users
----

check unplanned rows=2000000 bytes=500000000
DELETE FROM users
----
block
  DELETE without a condition changes every row of "users" in one transaction; add a WHERE, or delete it in ranges of the primary key
  detail: Table public.users has about 2,000,000 rows, 477 MB.
  hint: If nobody uses the table now: TRUNCATE users;

check unplanned rows=2000000 bytes=500000000
UPDATE users SET seen = false
----
block
  UPDATE without a condition changes every row of "users" in one transaction; add a WHERE, or change it in ranges of the primary key
  detail: Table public.users has about 2,000,000 rows, 477 MB.

# A condition that is true of every row is none.
check unplanned rows=2000000 bytes=500000000
UPDATE users SET seen = false WHERE 1 = 1
----
block
  UPDATE without a condition changes every row of "users" in one transaction; add a WHERE, or change it in ranges of the primary key
  detail: Table public.users has about 2,000,000 rows, 477 MB.

check unplanned rows=2000000 bytes=500000000
DELETE FROM public.users WHERE true OR id = 5
----
block
  DELETE without a condition changes every row of "users" in one transaction; add a WHERE, or delete it in ranges of the primary key
  detail: Table public.users has about 2,000,000 rows, 477 MB.
  hint: If nobody uses the table now: TRUNCATE public.users;

check unplanned rows=2000000 bytes=500000000
DELETE FROM users USING orders
----
block
  DELETE without a condition changes every row of "users" in one transaction; add a WHERE, or delete it in ranges of the primary key
  detail: Table public.users has about 2,000,000 rows, 477 MB.
  hint: If nobody uses the table now: TRUNCATE users;

check unplanned rows=2000000 bytes=500000000
DELETE FROM users WHERE id = id
----
block
  DELETE without a condition changes every row of "users" in one transaction; add a WHERE, or delete it in ranges of the primary key
  detail: Table public.users has about 2,000,000 rows, 477 MB.
  hint: If nobody uses the table now: TRUNCATE users;

check unplanned rows=2000000 bytes=500000000
MERGE INTO users USING orders ON true WHEN MATCHED THEN DELETE
----
block
  MERGE without a condition changes every row of "users" in one transaction; add a WHERE, or change it in ranges of the primary key
  detail: Table public.users has about 2,000,000 rows, 477 MB.

# Of what data decide nothing is said.
check unplanned rows=2000000 bytes=500000000
DELETE FROM users WHERE id > 0
----
pass

check unplanned rows=2000000 bytes=500000000
UPDATE users SET seen = false WHERE NOT true
----
pass

check unplanned rows=2000000 bytes=500000000
DELETE FROM users WHERE 1 = 1 AND id = 5
----
pass

check unplanned rows=2000000 bytes=500000000
MERGE INTO users USING orders ON id = user_id WHEN MATCHED THEN DELETE
----
pass

# A table of moderate size: an UPDATE takes seconds.
check unplanned small rows=50000 bytes=50000000
UPDATE users SET seen = false
----
warn
  UPDATE without a condition changes every row of "users" in one transaction; add a WHERE, or change it in ranges of the primary key
  detail: Table public.users has about 50,000 rows, 48 MB.

check unplanned small rows=50000 bytes=50000000
DELETE FROM users
----
block
  DELETE without a condition changes every row of "users" in one transaction; add a WHERE, or delete it in ranges of the primary key
  detail: Table public.users has about 50,000 rows, 48 MB.
  hint: If nobody uses the table now: TRUNCATE users;

check small
DELETE FROM users
----
pass

check
DELETE FROM empty
----
pass

check unknown
DELETE FROM users
----
block
  DELETE without a condition changes every row of "users" in one transaction; add a WHERE, or delete it in ranges of the primary key
  hint: If nobody uses the table now: TRUNCATE users;
  unknown: the size of table "users"

check unknown
UPDATE users SET seen = false
----
warn
  UPDATE without a condition changes every row of "users" in one transaction; add a WHERE, or change it in ranges of the primary key
  unknown: the size of table "users"

begin
CREATE TABLE fresh AS SELECT generate_series(1, 100000) AS a
----

check
UPDATE fresh SET a = a + 1
----
pass

rollback
----

# Wherever it stands.
check unplanned rows=2000000 bytes=500000000
WITH gone AS (DELETE FROM users RETURNING *) INSERT INTO orders SELECT id FROM gone
----
block
  a query of WITH: DELETE without a condition changes every row of "users" in one transaction; add a WHERE, or delete it in ranges of the primary key
  detail: Table public.users has about 2,000,000 rows, 477 MB.
  hint: If nobody uses the table now: TRUNCATE users;

check unplanned rows=2000000 bytes=500000000
EXPLAIN ANALYZE DELETE FROM users
----
block
  EXPLAIN ANALYZE: DELETE without a condition changes every row of "users" in one transaction; add a WHERE, or delete it in ranges of the primary key
  detail: Table public.users has about 2,000,000 rows, 477 MB.
  hint: If nobody uses the table now: TRUNCATE users;

check unplanned rows=2000000 bytes=500000000
EXPLAIN DELETE FROM users
----
pass

check unplanned rows=2000000 bytes=500000000
PREPARE gone AS DELETE FROM users
----
block
  PREPARE: DELETE without a condition changes every row of "users" in one transaction; add a WHERE, or delete it in ranges of the primary key
  detail: Table public.users has about 2,000,000 rows, 477 MB.
  hint: If nobody uses the table now: TRUNCATE users;

check unplanned rows=2000000 bytes=500000000
DO $$
BEGIN
  UPDATE users SET seen = false;
END $$
----
block
  line 3 of the DO block: UPDATE without a condition changes every row of "users" in one transaction; add a WHERE, or change it in ranges of the primary key
  detail: Table public.users has about 2,000,000 rows, 477 MB.

# Nothing happens yet.
check unplanned rows=2000000 bytes=500000000
CREATE FUNCTION forget() RETURNS void LANGUAGE sql AS 'DELETE FROM users'
----
warn
  line 1 of function "forget", when it runs: DELETE without a condition changes every row of "users" in one transaction; add a WHERE, or delete it in ranges of the primary key
  detail: Table public.users has about 2,000,000 rows, 477 MB.
  hint: If nobody uses the table now: TRUNCATE users;

check unplanned rows=2000000 bytes=500000000 role
/* pgsluice:allow write-without-where reason="nobody is here at night" */ DELETE FROM users
----
pass
  overridden: DELETE without a condition changes every row of "users" in one transaction; add a WHERE, or delete it in ranges of the primary key

locks
DELETE FROM users
----
users RowExclusiveLock
users_pkey RowExclusiveLock

# A migration tool's own version table.
setup
CREATE TABLE schema_migrations (version bigint not null primary key, dirty boolean not null); INSERT INTO schema_migrations VALUES (1, false)
----

check
DELETE FROM schema_migrations
----
pass
