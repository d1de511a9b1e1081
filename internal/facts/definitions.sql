-- The defaults of columns, and the definitions of indexes and constraints, of the relations that they are wanted of: one row, one column of base64 of UTF-8 JSON, as of resolve.sql,
-- whose rules it obeys. Which relations are busy is asked anew: that may have changed meanwhile.
WITH relation AS MATERIALIZED (
  SELECT u.oid, u.oid OPERATOR(pg_catalog.=) ANY (l.busy) AS busy
    FROM pg_catalog.unnest(pg_catalog.split_part($about, ' ', 3)::pg_catalog.oid[]) AS u(oid)
   CROSS JOIN (SELECT $busy AS busy OFFSET 0) l
)
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
  'defaults', (
     SELECT pg_catalog.json_agg(f)
       FROM (SELECT d.adrelid::pg_catalog.int8 AS relation, d.adnum AS num,
                    -- A default has no columns in it: nothing is opened for it.
                    CASE WHEN a.attgenerated OPERATOR(pg_catalog.=) ''::pg_catalog."char" THEN pg_catalog.pg_get_expr(d.adbin, 0) END AS default,
                    EXISTS (
                       SELECT FROM pg_catalog.regexp_matches(d.adbin::pg_catalog.text, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS f(id)
                         JOIN pg_catalog.pg_proc o ON o.oid OPERATOR(pg_catalog.=) f.id[1]::pg_catalog.oid
                        WHERE o.provolatile OPERATOR(pg_catalog.=) 'v'::pg_catalog."char") AS volatile
               FROM relation r
              CROSS JOIN LATERAL (SELECT d.* FROM pg_catalog.pg_attrdef d WHERE d.adrelid OPERATOR(pg_catalog.=) r.oid OFFSET 0) d
              CROSS JOIN LATERAL (SELECT a.attgenerated FROM pg_catalog.pg_attribute a
                                   WHERE a.attrelid OPERATOR(pg_catalog.=) d.adrelid AND a.attnum OPERATOR(pg_catalog.=) d.adnum OFFSET 0) a) f),
  'indexes', (
     SELECT pg_catalog.json_agg(i)
       FROM (SELECT i.indexrelid::pg_catalog.int8 AS oid, pg_catalog.pg_get_indexdef(i.indexrelid) AS definition
               FROM relation r
              CROSS JOIN LATERAL (SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid OPERATOR(pg_catalog.=) r.oid OFFSET 0) i
              WHERE NOT r.busy) i),
  'constraints', (
     SELECT pg_catalog.json_agg(k)
       FROM (SELECT k.oid::pg_catalog.int8 AS oid, pg_catalog.pg_get_constraintdef(k.oid) AS definition
               FROM relation r
              CROSS JOIN LATERAL (SELECT k.oid FROM pg_catalog.pg_constraint k
                                   WHERE k.conrelid OPERATOR(pg_catalog.=) r.oid AND k.contype OPERATOR(pg_catalog.<>) 't'::pg_catalog."char" OFFSET 0) k
              WHERE NOT r.busy) k)
)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
