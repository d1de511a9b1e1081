setup
CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users SELECT g, g FROM generate_series(1, 100) g; ANALYZE users; CREATE TABLE empty (a int);
CREATE UNLOGGED TABLE scratch AS SELECT * FROM users; CREATE TEMPORARY TABLE mine AS SELECT * FROM users; CREATE TABLE parted (a int) PARTITION BY LIST (a); CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1); INSERT INTO parted VALUES (1)
----

check
ALTER TABLE users SET TABLESPACE fast
----
block
  moving "users" to tablespace "fast" copies it while nobody can read or write it; use pg_repack --tablespace fast
  detail: Table public.users has about 100 rows, 16 kB.

# It is there.
check
ALTER TABLE users SET TABLESPACE pg_default
----
pass

check
ALTER TABLE users ADD COLUMN a int, SET UNLOGGED
----
block
  SET UNLOGGED of "users" copies it while nobody can read or write it; make a new table and fill it in batches
  detail: Table public.users has about 100 rows, 16 kB.

locks
ALTER TABLE users SET UNLOGGED
----
(uncommitted) AccessExclusiveLock
users AccessExclusiveLock
users ShareLock
users_pkey AccessExclusiveLock

check
ALTER TABLE users SET LOGGED
----
pass

check
ALTER TABLE scratch SET LOGGED
----
block
  SET LOGGED of "scratch" copies it while nobody can read or write it; make a new table and fill it in batches
  detail: Table public.scratch has an unknown number of rows (it was never analyzed), 24 kB.

check
ALTER TABLE scratch SET UNLOGGED
----
pass

check
ALTER TABLE users SET ACCESS METHOD columnar
----
block
  giving "users" access method "columnar" copies it while nobody can read or write it; make a new table and fill it in batches
  detail: Table public.users has about 100 rows, 16 kB.

check
ALTER TABLE users SET ACCESS METHOD heap
----
pass

check
ALTER INDEX users_pkey SET TABLESPACE fast
----
block
  moving "users_pkey" to tablespace "fast" copies it while nobody can read or write it; use REINDEX (TABLESPACE fast) INDEX CONCURRENTLY users_pkey
  detail: Table public.users has about 100 rows, 16 kB.

check
ALTER INDEX users_pkey SET TABLESPACE pg_default
----
pass

check
ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE fast
----
block
  moving everything out of a tablespace copies one relation after the other while nobody can read or write it; move them one by one, with pg_repack --tablespace

check unknown
ALTER TABLE users SET TABLESPACE fast
----
block
  moving "users" to tablespace "fast" copies it while nobody can read or write it; use pg_repack --tablespace fast
  unknown: the size of "users", and whether this changes anything

# Small, it is copied in no time, but a crash will empty it.
check small
ALTER TABLE users SET UNLOGGED
----
warn
  "users" loses its rows in a crash from here on, and standbys have nothing of it; SET LOGGED brings that back

check small
ALTER TABLE users SET TABLESPACE fast
----
pass

check
ALTER TABLE empty SET UNLOGGED
----
pass

check
ALTER TABLE mine SET TABLESPACE fast
----
pass

# A partitioned table has nothing to copy.
check
ALTER TABLE parted SET TABLESPACE fast
----
pass

check
ALTER TABLE missing SET TABLESPACE fast
----
pass

begin
CREATE TABLE fresh AS SELECT * FROM users
----

check
ALTER TABLE fresh SET UNLOGGED
----
pass

rollback
----

# These copy nothing.
check
ALTER TABLE users SET (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_enabled = off, parallel_workers = 4), ALTER name SET STATISTICS 500, ALTER name SET (n_distinct = 5), CLUSTER ON users_pkey
----
pass

locks
ALTER TABLE users SET (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_enabled = off, parallel_workers = 4), ALTER name SET STATISTICS 500, ALTER name SET (n_distinct = 5), CLUSTER ON users_pkey
----
users ShareUpdateExclusiveLock
users_pkey ShareUpdateExclusiveLock

check
ALTER TABLE users ALTER name SET STORAGE EXTERNAL, REPLICA IDENTITY FULL, OWNER TO postgres
----
pass

# It holds for rows to come.
check
ALTER TABLE users ALTER name SET COMPRESSION pglz
----
pass

locks major=14
ALTER TABLE users ALTER name SET COMPRESSION pglz
----
users AccessExclusiveLock

locks
ALTER TABLE users ALTER name SET STORAGE EXTERNAL
----
users AccessExclusiveLock

# Forms of 19, which the servers up to 18 do not know.
setup
CREATE TABLE days (day date) PARTITION BY RANGE (day); CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2024-02-01') TO ('2024-03-01'); INSERT INTO days VALUES ('2024-01-05'); ANALYZE days
----

check
ALTER TABLE days SPLIT PARTITION days_1 INTO (PARTITION days_1a FOR VALUES FROM ('2024-01-01') TO ('2024-01-15'), PARTITION days_1b FOR VALUES FROM ('2024-01-15') TO ('2024-02-01'))
----
block
  splitting partitions of "days" copies their rows while nobody can read or write any of it; make the new ones as tables of their own, fill them in batches, and swap them in by DETACH PARTITION ... CONCURRENTLY and ATTACH PARTITION
  detail: Table public.days_1 has about 1 rows, 8192 bytes.

check
alter table public.days merge partitions ("days_2", days_1) into days_both
----
block
  merging partitions of "days" copies their rows while nobody can read or write any of it; make the new ones as tables of their own, fill them in batches, and swap them in by DETACH PARTITION ... CONCURRENTLY and ATTACH PARTITION

check unknown
ALTER TABLE days SPLIT PARTITION days_1 INTO (PARTITION a DEFAULT)
----
block
  splitting partitions of "days" copies their rows while nobody can read or write any of it; make the new ones as tables of their own, fill them in batches, and swap them in by DETACH PARTITION ... CONCURRENTLY and ATTACH PARTITION
  unknown: the size of "days_1"
