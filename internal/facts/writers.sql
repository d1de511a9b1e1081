-- Since when other transactions have been in the way of a foreign key to a table: one row for each table that any is in the way of, as
-- {oid, seconds}. The parameter is the list of OIDs. What another login does may be hidden; then seconds is null. It obeys the rules of resolve.sql.
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
         'oid', l.relation::pg_catalog.int8,
         'seconds', pg_catalog.max(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start)))::pg_catalog.text, 'UTF8'), 'base64')
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) l.database AND d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
 CROSS JOIN LATERAL pg_catalog.pg_stat_get_activity(l.pid) a
 WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.granted
   AND l.relation OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text::pg_catalog.oid[])
   -- Of a prepared transaction there is no process, and without one pg_stat_get_activity tells of all.
   AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
   -- Autovacuum makes way.
   AND COALESCE(a.backend_type OPERATOR(pg_catalog.<>) 'autovacuum worker', true)
   -- What ShareRowExclusiveLock has to wait for.
   AND l.mode OPERATOR(pg_catalog.<>) ALL (ARRAY['AccessShareLock', 'RowShareLock'])
 GROUP BY l.relation
