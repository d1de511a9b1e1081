-- The keys of partitioned tables, the bounds and the foreign keys of partitions, in the trees that tree.sql has found: one row, one column, base64 of UTF-8 JSON. It
-- obeys the rules of resolve.sql.
WITH wanted AS MATERIALIZED (
  SELECT DISTINCT t.oid, t.oid OPERATOR(pg_catalog.=) ANY (a.defined) AS defined
    FROM (SELECT pg_catalog.split_part($about, ' ', 6)::pg_catalog.oid[] AS tree, pg_catalog.split_part($about, ' ', 7)::pg_catalog.oid[] AS defined OFFSET 0) a
   CROSS JOIN LATERAL pg_catalog.unnest(a.tree) AS t(oid)
)
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
  'keys', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'oid', w.oid::pg_catalog.int8,
              'strategy', t.partstrat, 'nums', t.partattrs::pg_catalog.int2[], 'default', t.partdefid::pg_catalog.int8,
              'plain', NOT EXISTS (
                 SELECT FROM ROWS FROM (pg_catalog.unnest(t.partattrs::pg_catalog.int2[]), pg_catalog.unnest(t.partclass::pg_catalog.oid[]),
                                        pg_catalog.unnest(t.partcollation::pg_catalog.oid[])) AS k(num, class, coll)
                   LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) w.oid AND a.attnum OPERATOR(pg_catalog.=) k.num
                   LEFT JOIN pg_catalog.pg_type y ON y.oid OPERATOR(pg_catalog.=) a.atttypid
                   LEFT JOIN pg_catalog.pg_opclass o ON o.oid OPERATOR(pg_catalog.=) k.class
                  WHERE NOT COALESCE(k.num OPERATOR(pg_catalog.<>) 0::pg_catalog.int2 AND y.typtype OPERATOR(pg_catalog.<>) 'd'::pg_catalog."char"
                    AND o.opcdefault AND o.opcnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace::pg_catalog.oid
                    AND k.coll OPERATOR(pg_catalog.=) a.attcollation, false)),
              -- The columns within expressions of the key depend on the table itself.
              'mentions', (SELECT pg_catalog.json_agg(d.objsubid ORDER BY d.objsubid)
                             FROM pg_catalog.pg_depend d
                            WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
                              AND d.objid OPERATOR(pg_catalog.=) w.oid
                              AND d.refclassid OPERATOR(pg_catalog.=) d.classid AND d.refobjid OPERATOR(pg_catalog.=) w.oid
                              AND d.objsubid OPERATOR(pg_catalog.>) 0 AND d.refobjsubid OPERATOR(pg_catalog.=) 0)))
       FROM wanted w
      CROSS JOIN LATERAL (SELECT t.* FROM pg_catalog.pg_partitioned_table t WHERE t.partrelid OPERATOR(pg_catalog.=) w.oid OFFSET 0) t),
  'partitions', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'oid', w.oid::pg_catalog.int8, 'bound', CASE WHEN w.defined THEN pg_catalog.pg_get_expr(c.relpartbound, 0) END,
              'foreign_keys', (
                 SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', k.conname, 'type', k.contype, 'validated', k.convalidated,
                          'parent', k.confrelid::pg_catalog.int8, 'actions', pg_catalog.concat(k.confupdtype, k.confdeltype, k.confmatchtype),
                          'deferrable', k.condeferrable, 'deferred', k.condeferred, 'columns', (
                             SELECT pg_catalog.json_agg(a.attname ORDER BY u.place)
                               FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(num, place)
                               JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) k.conrelid AND a.attnum OPERATOR(pg_catalog.=) u.num),
                          'parent_columns', (
                             SELECT pg_catalog.json_agg(a.attname ORDER BY u.place)
                               FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS u(num, place)
                               JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) k.confrelid AND a.attnum OPERATOR(pg_catalog.=) u.num)
                        ) ORDER BY k.conname)
                   FROM pg_catalog.pg_constraint k
                  WHERE k.conrelid OPERATOR(pg_catalog.=) w.oid AND k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char")))
       FROM wanted w
      CROSS JOIN LATERAL (SELECT c.relpartbound FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) w.oid AND c.relispartition OFFSET 0) c)
)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
