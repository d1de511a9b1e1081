-- The indexes of the relations that facts.sql describes, and the operator classes of their keys: one row, one column, as of facts.sql, whose rules it obeys.
WITH index AS MATERIALIZED (
  SELECT i.indrelid::pg_catalog.int8 AS relation, i.indexrelid::pg_catalog.int8 AS oid, x.relname AS name, x.relkind AS kind,
         (SELECT y.amname FROM pg_catalog.pg_am y WHERE y.oid OPERATOR(pg_catalog.=) x.relam) AS method,
         i.indisvalid AS valid, i.indisready AS ready, i.indisunique AS "unique", i.indisprimary AS "primary", i.indpred IS NOT NULL AS partial,
         -- The column is there since 15, and false for what is not unique.
         CASE WHEN i.indisunique AND NOT i.indisprimary
              THEN COALESCE(pg_catalog.json_extract_path_text(pg_catalog.row_to_json(i), 'indnullsnotdistinct'), 'false')::pg_catalog.bool
              ELSE false END AS nulls_not_distinct,
         i.indkey::pg_catalog.int2[] AS nums, i.indnkeyatts AS keys,
         CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL THEN ARRAY(
            SELECT d.refobjsubid
              FROM pg_catalog.pg_depend d
             WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
               AND d.objid OPERATOR(pg_catalog.=) i.indexrelid AND d.objsubid OPERATOR(pg_catalog.=) 0
               AND d.refclassid OPERATOR(pg_catalog.=) d.classid AND d.refobjid OPERATOR(pg_catalog.=) i.indrelid
               AND d.refobjsubid OPERATOR(pg_catalog.>) 0) END AS within,
         i.indexprs IS NOT NULL AS expression,
         i.indclass::pg_catalog.int8[] AS class,
         ARRAY(SELECT a.atttypid::pg_catalog.int8 FROM pg_catalog.pg_attribute a
                WHERE a.attrelid OPERATOR(pg_catalog.=) i.indexrelid AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 ORDER BY a.attnum) AS stored,
         i.indcollation::pg_catalog.int8[] AS collations, i.indoption::pg_catalog.int2[] AS sorting,
         NOT i.indimmediate AS deferrable, i.indisclustered AS clustered, i.indisreplident AS replica_identity,
         (x.relpages::pg_catalog.float8 OPERATOR(pg_catalog.*) pg_catalog.current_setting('block_size')::pg_catalog.float8)::pg_catalog.int8 AS bytes,
         CASE WHEN x.relispartition THEN (SELECT h.inhparent::pg_catalog.int8 FROM pg_catalog.pg_inherits h
                                           WHERE h.inhrelid OPERATOR(pg_catalog.=) i.indexrelid LIMIT 1) END AS parent,
         -- A concurrent build, and every other one that could end, holds this lock on the table all the while.
         NOT i.indisvalid AND EXISTS (
            SELECT FROM pg_catalog.pg_locks l
             WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.relation OPERATOR(pg_catalog.=) i.indrelid AND l.granted
               AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d
                                                       WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
               AND l.mode OPERATOR(pg_catalog.=) 'ShareUpdateExclusiveLock'
               AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()) AS building
    FROM pg_catalog.unnest(pg_catalog.split_part($about, ' ', 1)::pg_catalog.oid[]) AS u(oid)
   -- OFFSET: see columns.sql.
   CROSS JOIN LATERAL (SELECT i.* FROM pg_catalog.pg_index i WHERE i.indrelid OPERATOR(pg_catalog.=) u.oid OFFSET 0) i
   CROSS JOIN LATERAL (SELECT x.relname, x.relkind, x.relam, x.relpages, x.relispartition FROM pg_catalog.pg_class x
                        WHERE x.oid OPERATOR(pg_catalog.=) i.indexrelid OFFSET 0) x
)
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
  'indexes', (SELECT pg_catalog.json_agg(i) FROM index i),
  -- The last are the polymorphic pseudo-types: anyarray, anyelement, anynonarray, anyenum, anyrange, anymultirange, and the anycompatible ones.
  'classes', (SELECT pg_catalog.json_agg(o)
                FROM (SELECT o.oid::pg_catalog.int8 AS oid, o.opcdefault AS default,
                             o.opcintype OPERATOR(pg_catalog.=) ANY (ARRAY[2277, 2283, 2776, 3500, 3831, 4537, 4538, 5077, 5078, 5079, 5080]::pg_catalog.oid[]) AS polymorphic
                        FROM pg_catalog.pg_opclass o
                       WHERE o.oid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT pg_catalog.unnest(i.class)::pg_catalog.oid FROM index i))) o)
)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
