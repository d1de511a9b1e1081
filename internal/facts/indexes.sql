-- The indexes of the relations to describe, with the operator classes of their keys, and their definitions where they are wanted: a row each, as of resolve.sql, whose rules it obeys. In the order of
-- addIndex.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('index',
         i.indrelid, i.indexrelid, x.relname, x.relkind,
         x.relam,
         CASE WHEN x.relam OPERATOR(pg_catalog.<>) ALL ($methods) THEN (SELECT y.amname FROM pg_catalog.pg_am y WHERE y.oid OPERATOR(pg_catalog.=) x.relam) END,
         i.indisvalid, i.indisready, i.indisunique, i.indisprimary, i.indpred IS NOT NULL,
         -- The column is there since 15, and false for what is not unique.
         CASE WHEN i.indisunique AND NOT i.indisprimary
              THEN COALESCE(pg_catalog.json_extract_path_text(pg_catalog.row_to_json(i), 'indnullsnotdistinct'), 'false')::pg_catalog.bool
              ELSE false END,
         i.indkey, i.indnkeyatts,
         CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL THEN ARRAY(
            SELECT d.refobjsubid
              FROM pg_catalog.pg_depend d
             WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
               AND d.objid OPERATOR(pg_catalog.=) i.indexrelid AND d.objsubid OPERATOR(pg_catalog.=) 0
               AND d.refclassid OPERATOR(pg_catalog.=) d.classid AND d.refobjid OPERATOR(pg_catalog.=) i.indrelid
               AND d.refobjsubid OPERATOR(pg_catalog.>) 0) END,
         i.indexprs IS NOT NULL,
         i.indclass,
         -- Most operator classes are known (builtin.go). Of others each OID times four, and added to it 2 for the default of its type, and 1 for a polymorphic one:
         -- anyarray, anyelement, anynonarray, anyenum, anyrange, anymultirange, and the anycompatible ones.
         CASE WHEN NOT i.indclass::pg_catalog.oid[] OPERATOR(pg_catalog.<@) $classes THEN
         ARRAY(SELECT o.oid::pg_catalog.int8 OPERATOR(pg_catalog.*) 4 OPERATOR(pg_catalog.+) (o.opcdefault::pg_catalog.int4 OPERATOR(pg_catalog.*) 2) OPERATOR(pg_catalog.+)
                      (o.opcintype OPERATOR(pg_catalog.=) ANY (ARRAY[2277, 2283, 2776, 3500, 3831, 4537, 4538, 5077, 5078, 5079, 5080]::pg_catalog.oid[]))::pg_catalog.int4
                 FROM pg_catalog.pg_opclass o WHERE o.oid OPERATOR(pg_catalog.=) ANY (i.indclass::pg_catalog.oid[])) END,
         CASE WHEN NOT i.indclass::pg_catalog.oid[] OPERATOR(pg_catalog.<@) $classes THEN
         ARRAY(SELECT a.atttypid FROM pg_catalog.pg_attribute a
                WHERE a.attrelid OPERATOR(pg_catalog.=) i.indexrelid AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 ORDER BY a.attnum) END,
         i.indcollation, i.indoption, i.indimmediate, i.indisclustered, i.indisreplident, i.indisexclusion, x.relpages,
         CASE WHEN x.relispartition THEN (SELECT h.inhparent FROM pg_catalog.pg_inherits h
                                           WHERE h.inhrelid OPERATOR(pg_catalog.=) i.indexrelid LIMIT 1) END,
         CASE WHEN i.indrelid OPERATOR(pg_catalog.=) ANY (a.defined) AND NOT i.indrelid OPERATOR(pg_catalog.=) ANY (a.busy)
              THEN pg_catalog.pg_get_indexdef(i.indexrelid) END
       )::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM (SELECT pg_catalog.split_part($about, ' ', 2)::pg_catalog.oid[] AS described, pg_catalog.split_part($about, ' ', 3)::pg_catalog.oid[] AS defined,
               $busy AS busy OFFSET 0) a
  JOIN pg_catalog.pg_index i ON i.indrelid OPERATOR(pg_catalog.=) ANY (a.described)
 CROSS JOIN LATERAL (SELECT x.relname, x.relkind, x.relam, x.relpages, x.relispartition FROM pg_catalog.pg_class x
                      WHERE x.oid OPERATOR(pg_catalog.=) i.indexrelid OFFSET 0) x
