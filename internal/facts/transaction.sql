-- What this transaction holds and has made, and who streams the WAL: one row, one column, base64 of UTF-8 JSON. It obeys the rules of resolve.sql, and is asked where a
-- transaction may have begun before the question.
WITH
session AS MATERIALIZED (
  SELECT d.oid AS database,
         -- The top transaction's id, if it has one, and the first id that the snapshot knows nothing of.
         pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text::pg_catalog.int8 AS xid,
         pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::pg_catalog.int8 AS horizon
    FROM pg_catalog.pg_database d
   WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
),
-- The strong locks of this transaction, and those of others that keep a relation from being opened, with the tables of indexes. What this transaction made
-- it did not find: an index stands for its table, unless this transaction made it.
lock AS MATERIALIZED (
  SELECT l.relation, l.mode, l.granted, l.own, i.indrelid, s.xid, s.horizon,
         COALESCE(i.xmin::pg_catalog.text OPERATOR(pg_catalog.=) (s.xid OPERATOR(pg_catalog.&) 4294967295)::pg_catalog.text, false) AS made
    FROM session s
   CROSS JOIN LATERAL (
      SELECT l.relation, l.mode, l.granted,
             COALESCE(l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid(), false) AS own -- a prepared transaction has no process
        FROM pg_catalog.pg_locks l
       WHERE l.locktype OPERATOR(pg_catalog.=) 'relation'
         AND l.database OPERATOR(pg_catalog.=) s.database
         AND (l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock'
           OR l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
          AND l.mode OPERATOR(pg_catalog.=) ANY (ARRAY['ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock']))
      OFFSET 0) l
    LEFT JOIN LATERAL (SELECT i.indrelid, i.xmin FROM pg_catalog.pg_index i WHERE i.indexrelid OPERATOR(pg_catalog.=) l.relation OFFSET 0) i ON true
),
-- Made by this very transaction? pg_class.xmin is renewed by every ALTER and GRANT; the pg_attribute row of the system column
-- tableoid (-6), or of a view's first column, is written once. Its xmin has 32 bits and a frozen row keeps an old one, so that it may seem to lie in the
-- future, where pg_xact_status raises. Our own ids lie at or behind the top one: below the snapshot's horizon the status is
-- asked; behind it only our own rows are visible, or frozen ones, and those in a window that no transaction's savepoints fill
-- are taken for ours. The creator of a relation holds ACCESS EXCLUSIVE on it to the end.
created AS MATERIALIZED (
  SELECT l.relation AS oid
    FROM lock l
   CROSS JOIN LATERAL (SELECT a.attnum, a.xmin FROM pg_catalog.pg_attribute a
                        WHERE a.attrelid OPERATOR(pg_catalog.=) l.relation AND a.attnum OPERATOR(pg_catalog.<=) 1::pg_catalog.int2
                          AND a.attnum OPERATOR(pg_catalog.=) ANY (ARRAY[-6, 1]::pg_catalog.int2[])
                        ORDER BY a.attnum LIMIT 1) a
   CROSS JOIN LATERAL (SELECT (a.xmin::pg_catalog.text::pg_catalog.int8 OPERATOR(pg_catalog.-) l.xid) OPERATOR(pg_catalog.&) 4294967295 AS ahead) d
   CROSS JOIN LATERAL (SELECT l.xid OPERATOR(pg_catalog.+) d.ahead AS xid) x
   WHERE l.own AND l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock' AND l.indrelid IS NULL AND l.xid IS NOT NULL
     AND CASE WHEN d.ahead OPERATOR(pg_catalog.>=) 2147483648 THEN false
              WHEN x.xid OPERATOR(pg_catalog.<) l.horizon
              THEN pg_catalog.pg_xact_status(x.xid::pg_catalog.text::pg_catalog.xid8) OPERATOR(pg_catalog.=) 'in progress'
              ELSE x.xid OPERATOR(pg_catalog.-) GREATEST(l.xid, l.horizon) OPERATOR(pg_catalog.<) 4096
         END
),
-- What this transaction holds strongly and did not make. OIDs below FirstNormalObjectId are catalogs.
-- That number is none of type oid: such a constant counts as a mention of the relation by that OID (ISREGCLASSCONST in setrefs.c), and the plan, which takes
-- far longer than the answer, would be made anew after every change of it, which is the first of a database.
held AS MATERIALIZED (
  SELECT COALESCE(l.indrelid, l.relation) AS oid, pg_catalog.array_agg(l.mode) AS modes
    FROM lock l
   WHERE l.own AND l.granted AND l.relation::pg_catalog.int8 OPERATOR(pg_catalog.>=) 16384 AND NOT l.made
     AND NOT EXISTS (SELECT FROM created r WHERE r.oid OPERATOR(pg_catalog.=) COALESCE(l.indrelid, l.relation))
   GROUP BY 1
)
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
  -- Whoever streams the WAL and is neither a base backup nor a logical subscriber.
  'standbys', GREATEST(0, (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_get_wal_senders() w
                            WHERE COALESCE(w.state OPERATOR(pg_catalog.<>) 'backup', true)) OPERATOR(pg_catalog.-)
                          (SELECT pg_catalog.count(*) FROM pg_catalog.pg_get_replication_slots() r
                            WHERE r.active AND r.slot_type OPERATOR(pg_catalog.=) 'logical')),
  'held', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'oid', h.oid::pg_catalog.int8, 'modes', h.modes,
              'schema', (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid OPERATOR(pg_catalog.=) c.relnamespace),
              'name', c.relname, 'kind', c.relkind, 'persistence', c.relpersistence,
              'estimated', (c.relpages::pg_catalog.float8 OPERATOR(pg_catalog.*) pg_catalog.current_setting('block_size')::pg_catalog.float8)::pg_catalog.int8,
              'columns', (
              SELECT pg_catalog.json_agg(pg_catalog.json_build_object('num', a.attnum, 'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod)))
                FROM pg_catalog.pg_attribute a
               WHERE a.attrelid OPERATOR(pg_catalog.=) h.oid AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT a.attisdropped)))
       FROM held h
       LEFT JOIN LATERAL (SELECT c.relname, c.relnamespace, c.relkind, c.relpersistence, c.relpages
                            FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) h.oid OFFSET 0) c ON true), -- it may be dropped
  'created', ARRAY(SELECT r.oid::pg_catalog.int8 FROM created r)
)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
