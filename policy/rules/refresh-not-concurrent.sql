setup
CREATE TABLE users AS SELECT g AS id, g::text AS name FROM generate_series(1, 100) g;
CREATE MATERIALIZED VIEW seen AS SELECT * FROM users; CREATE MATERIALIZED VIEW unseen AS SELECT * FROM users WITH NO DATA; ANALYZE seen
----

# There is no index to tell rows apart by.
check bytes=16384
REFRESH MATERIALIZED VIEW seen
----
block
  refreshing "seen" keeps its readers waiting until its query is done; give it a unique index over columns, then use REFRESH MATERIALIZED VIEW CONCURRENTLY
  detail: Table public.seen has about 100 rows, 16 kB.
  hint: CREATE UNIQUE INDEX CONCURRENTLY ON public.seen (...);
    REFRESH MATERIALIZED VIEW CONCURRENTLY seen;

setup
CREATE UNIQUE INDEX ON seen (lower(name)); CREATE UNIQUE INDEX ON seen (id) WHERE id > 0; CREATE INDEX ON seen (id)
----

check bytes=16384
REFRESH MATERIALIZED VIEW seen
----
block
  refreshing "seen" keeps its readers waiting until its query is done; give it a unique index over columns, then use REFRESH MATERIALIZED VIEW CONCURRENTLY
  detail: Table public.seen has about 100 rows, 16 kB.
  hint: CREATE UNIQUE INDEX CONCURRENTLY ON public.seen (...);
    REFRESH MATERIALIZED VIEW CONCURRENTLY seen;

setup
CREATE UNIQUE INDEX ON seen (id)
----

check bytes=16384
refresh materialized view public.seen with data
----
rewrite
  refreshing "seen" keeps its readers waiting until its query is done; use REFRESH MATERIALIZED VIEW CONCURRENTLY
  detail: Table public.seen has about 100 rows, 16 kB.
  hint: refresh materialized view CONCURRENTLY public.seen with data;

# Readers go on.
check
REFRESH MATERIALIZED VIEW CONCURRENTLY seen
----
pass

locks before=16
REFRESH MATERIALIZED VIEW seen
----
(uncommitted) AccessExclusiveLock
(uncommitted) ExclusiveLock
seen AccessExclusiveLock
seen AccessShareLock
seen ExclusiveLock
seen ShareLock
seen_id_idx AccessExclusiveLock
seen_id_idx1 AccessExclusiveLock
seen_id_idx2 AccessExclusiveLock
seen_lower_idx AccessExclusiveLock
users AccessShareLock

locks major=16
REFRESH MATERIALIZED VIEW seen
----
(uncommitted) AccessExclusiveLock
(uncommitted) ExclusiveLock
seen AccessExclusiveLock
seen ExclusiveLock
seen ShareLock
seen_id_idx AccessExclusiveLock
seen_id_idx1 AccessExclusiveLock
seen_id_idx2 AccessExclusiveLock
seen_lower_idx AccessExclusiveLock
users AccessShareLock

locks
REFRESH MATERIALIZED VIEW CONCURRENTLY seen
----
(uncommitted) AccessExclusiveLock
(uncommitted) AccessShareLock
(uncommitted) ExclusiveLock
(uncommitted) RowExclusiveLock
(uncommitted) ShareLock
(uncommitted) ShareUpdateExclusiveLock
seen AccessShareLock
seen ExclusiveLock
seen RowExclusiveLock
seen_id_idx AccessShareLock
seen_id_idx RowExclusiveLock
seen_id_idx1 AccessShareLock
seen_id_idx1 RowExclusiveLock
seen_id_idx2 AccessShareLock
seen_id_idx2 RowExclusiveLock
seen_lower_idx AccessShareLock
seen_lower_idx RowExclusiveLock
users AccessShareLock

# In a transaction, too.
begin
----

check bytes=16384
REFRESH MATERIALIZED VIEW seen
----
rewrite
  refreshing "seen" keeps its readers waiting until its query is done; use REFRESH MATERIALIZED VIEW CONCURRENTLY
  detail: Table public.seen has about 100 rows, 16 kB.
  hint: REFRESH MATERIALIZED VIEW CONCURRENTLY seen;

rollback
----

check unknown
REFRESH MATERIALIZED VIEW seen
----
rewrite
  refreshing "seen" keeps its readers waiting until its query is done; use REFRESH MATERIALIZED VIEW CONCURRENTLY
  hint: REFRESH MATERIALIZED VIEW CONCURRENTLY seen;
  unknown: the size of "seen", and whether it has a unique index

check
REFRESH MATERIALIZED VIEW seen WITH NO DATA
----
warn
  every query of "seen" fails from here on, until it is refreshed again; leave WITH NO DATA out

check unknown
REFRESH MATERIALIZED VIEW seen WITH NO DATA
----
warn
  every query of "seen" fails from here on, until it is refreshed again; leave WITH NO DATA out
  unknown: whether "seen" has been filled

# Nobody can read it yet.
check
REFRESH MATERIALIZED VIEW unseen
----
pass

check
REFRESH MATERIALIZED VIEW unseen WITH NO DATA
----
pass

check small
REFRESH MATERIALIZED VIEW seen
----
pass

check
REFRESH MATERIALIZED VIEW missing
----
pass

check
REFRESH MATERIALIZED VIEW users
----
pass
