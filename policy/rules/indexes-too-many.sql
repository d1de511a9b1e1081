setup
CREATE TABLE users (id int PRIMARY KEY, a int, b int, c int, d int); INSERT INTO users VALUES (1);
CREATE INDEX i1 ON users (a); CREATE INDEX i2 ON users (b); CREATE INDEX i3 ON users (c); CREATE INDEX i4 ON users (d); CREATE INDEX i5 ON users (a, b);
CREATE INDEX i6 ON users (a, c); CREATE INDEX i7 ON users (a, d); CREATE INDEX i8 ON users (b, a); CREATE INDEX i9 ON users (b, c);
CREATE TABLE few (a int); INSERT INTO few VALUES (1)
----

check action=warn
CREATE INDEX CONCURRENTLY users_b_d ON users (b, d)
----
warn
  "users" has 10 indexes, and every write of it maintains them all; drop those that no query uses first
  detail: Table public.users has about 1 rows, 8192 bytes.
  hint: SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE relid = 'public.users'::regclass ORDER BY idx_scan;

check action=warn
ALTER TABLE users ADD CONSTRAINT users_b_d UNIQUE (b, d)
----
warn
  "users" has 10 indexes, and every write of it maintains them all; drop those that no query uses first
  detail: Table public.users has about 1 rows, 8192 bytes.
  hint: SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE relid = 'public.users'::regclass ORDER BY idx_scan;

check action=warn
CREATE INDEX ON few (a)
----
pass

# It is there.
check action=warn
CREATE INDEX IF NOT EXISTS i9 ON users (b, c)
----
pass

check action=warn
ALTER TABLE users ADD UNIQUE USING INDEX i9
----
pass

check action=warn small
CREATE INDEX ON users (b, d)
----
pass

check action=warn unknown
CREATE INDEX ON users (b, d)
----
pass

locks
CREATE INDEX users_b_d ON users (b, d)
----
users ShareLock
users_b_d AccessExclusiveLock
