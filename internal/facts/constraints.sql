-- The constraints of the relations to describe, with their definitions where they are wanted: a row each, as of resolve.sql, whose rules it obeys. In the order of addConstraint.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('constraint',
         k.conrelid, k.oid, k.conname, k.contype, k.convalidated, k.conkey, k.condeferrable, k.condeferred, k.connoinherit, k.conislocal,
         k.coninhcount OPERATOR(pg_catalog.>) 0 OR k.conparentid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid,
         -- The column is there since 18, and what is not enforced is not validated either.
         CASE WHEN NOT k.convalidated AND pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 180000
              THEN pg_catalog.json_extract_path_text(pg_catalog.row_to_json(k), 'conenforced')::pg_catalog.bool ELSE true END,
         -- A referenced table that is described itself needs no names here.
         k.conindid, k.confrelid, k.confkey, p.relnamespace::pg_catalog.regnamespace, p.relname,
         CASE WHEN k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char" AND k.confrelid OPERATOR(pg_catalog.<>) ALL (a.described)
              THEN pg_catalog.array_to_json(ARRAY(
            SELECT a.attname
              FROM pg_catalog.pg_attribute a
             WHERE a.attrelid OPERATOR(pg_catalog.=) k.confrelid AND a.attnum OPERATOR(pg_catalog.=) ANY (k.confkey)
             ORDER BY pg_catalog.array_position(k.confkey, a.attnum))) END,
         CASE WHEN k.conrelid OPERATOR(pg_catalog.=) ANY (a.defined) AND NOT k.conrelid OPERATOR(pg_catalog.=) ANY (a.busy)
              THEN pg_catalog.pg_get_constraintdef(k.oid) END
       )::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM (SELECT pg_catalog.split_part($about, ' ', 2)::pg_catalog.oid[] AS described, pg_catalog.split_part($about, ' ', 3)::pg_catalog.oid[] AS defined,
               $busy AS busy OFFSET 0) a
  JOIN pg_catalog.pg_constraint k ON k.conrelid OPERATOR(pg_catalog.=) ANY (a.described) AND k.contype OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
  -- OFFSET: see columns.sql.
  LEFT JOIN LATERAL (SELECT p.relname, p.relnamespace FROM pg_catalog.pg_class p
                      WHERE p.oid OPERATOR(pg_catalog.=) k.confrelid OFFSET 0) p
         ON k.confrelid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid AND k.confrelid OPERATOR(pg_catalog.<>) ALL (a.described)
