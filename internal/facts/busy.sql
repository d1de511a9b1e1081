-- The relations that some other backend holds, or awaits, in ACCESS EXCLUSIVE, and the tables of indexes that it does: an array of OIDs, in the place of $busy where a
-- relation is opened, by the rules of resolve.sql. A prepared transaction has no process.
ARRAY(
  SELECT pg_catalog.unnest(ARRAY[l.relation, COALESCE(i.indrelid, l.relation)])
    FROM pg_catalog.pg_lock_status() l
    LEFT JOIN LATERAL (SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid OPERATOR(pg_catalog.=) l.relation OFFSET 0) i ON true
   WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock'
     AND COALESCE(l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid(), true)
     AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))
