setup
CREATE TABLE users (id int, email text); INSERT INTO users VALUES (1); CREATE INDEX users_email ON users (email); CREATE TABLE empty (a int);
ALTER TABLE users ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM users; CREATE UNIQUE INDEX ON counted (n)
----

# It would be dropped and built again, and cut off again.
check timeout=30s
CREATE INDEX CONCURRENTLY users_id ON users (id)
----
warn
  CREATE INDEX CONCURRENTLY on "users" is cut off when statement_timeout (30s) has passed, and leaves an INVALID index; SET statement_timeout = 0 before it
  detail: Table public.users has about 1 rows, 16 kB.
  hint: SET statement_timeout = 0;
    CREATE INDEX CONCURRENTLY users_id ON users (id);

check lock=5s
CREATE INDEX CONCURRENTLY users_id ON users (id)
----
warn
  CREATE INDEX CONCURRENTLY on "users" is cut off when lock_timeout (5s) has passed, and leaves an INVALID index; SET lock_timeout = 0 before it
  detail: Table public.users has about 1 rows, 16 kB.
  hint: SET lock_timeout = 0;
    CREATE INDEX CONCURRENTLY users_id ON users (id);

check lock=5s timeout=5000
DROP INDEX CONCURRENTLY users_email
----
warn
  DROP INDEX CONCURRENTLY of "users_email" is cut off when statement_timeout (5000) has passed, and leaves an INVALID index; SET statement_timeout = 0 before it
  detail: Table public.users has about 1 rows, 16 kB.
  hint: SET statement_timeout = 0;
    SET lock_timeout = 0;
    DROP INDEX CONCURRENTLY users_email;

check timeout=1min
REINDEX INDEX CONCURRENTLY users_email
----
warn
  REINDEX CONCURRENTLY of "users_email" is cut off when statement_timeout (1min) has passed, and leaves an INVALID index; SET statement_timeout = 0 before it
  detail: Table public.users has about 1 rows, 16 kB.
  hint: SET statement_timeout = 0;
    REINDEX INDEX CONCURRENTLY users_email;

check timeout=1min
ALTER TABLE users VALIDATE CONSTRAINT positive
----
warn
  VALIDATE CONSTRAINT of "users" is cut off when statement_timeout (1min) has passed, and has read the table in vain; SET statement_timeout = 0 before it
  detail: Table public.users has about 1 rows, 16 kB.
  hint: SET statement_timeout = 0;
    ALTER TABLE users VALIDATE CONSTRAINT positive;

check timeout=1min rows=1 bytes=8192
REFRESH MATERIALIZED VIEW CONCURRENTLY counted
----
warn
  REFRESH MATERIALIZED VIEW CONCURRENTLY of "counted" is cut off when statement_timeout (1min) has passed, and has run its query in vain; SET statement_timeout = 0 before it
  detail: Table public.counted has about 1 rows, 8192 bytes.
  hint: SET statement_timeout = 0;
    REFRESH MATERIALIZED VIEW CONCURRENTLY counted;

check unknown
CREATE INDEX CONCURRENTLY users_id ON users (id)
----
pass

check
CREATE INDEX CONCURRENTLY users_id ON users (id)
----
pass

check timeout=0ms lock=0
CREATE INDEX CONCURRENTLY users_id ON users (id)
----
pass

# It waits for one lock only, once.
check lock=2s
ALTER TABLE users VALIDATE CONSTRAINT positive
----
pass

check timeout=30s
CREATE INDEX CONCURRENTLY empty_a ON empty (a)
----
pass

check timeout=30s small
CREATE INDEX CONCURRENTLY users_id ON users (id)
----
pass

check timeout=30s
CREATE INDEX users_id ON users (id)
----
pass

locks
ALTER TABLE users VALIDATE CONSTRAINT positive
----
users ShareUpdateExclusiveLock
