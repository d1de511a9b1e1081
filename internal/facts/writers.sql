-- Since when other transactions have been in the way of a foreign key to a table: a row for each table that any is in the way of, as of resolve.sql, whose rules it
-- obeys. What another login does may be hidden; then the seconds are NULL.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('writer', l.relation,
         pg_catalog.max(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start)))::pg_catalog.text, 'SQL_ASCII'), 'base64')
  FROM pg_catalog.pg_lock_status() l
 CROSS JOIN LATERAL pg_catalog.pg_stat_get_activity(l.pid) a
 WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.granted
   AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
   AND l.relation OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 10)::pg_catalog.oid[])
   -- Of a prepared transaction there is no process, and without one pg_stat_get_activity tells of all.
   AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
   -- Autovacuum makes way.
   AND COALESCE(a.backend_type OPERATOR(pg_catalog.<>) 'autovacuum worker', true)
   -- What ShareRowExclusiveLock has to wait for.
   AND l.mode OPERATOR(pg_catalog.<>) ALL (ARRAY['AccessShareLock', 'RowShareLock'])
 GROUP BY l.relation
