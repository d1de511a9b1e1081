-- The defaults of the columns of relations whose definitions are wanted: a row each, as of resolve.sql, whose rules it obeys. In the order of addDefaults.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('default',
         d.adrelid, d.adnum,
         -- A default has no columns in it: nothing is opened for it.
         CASE WHEN a.attgenerated OPERATOR(pg_catalog.=) ''::pg_catalog."char" THEN pg_catalog.pg_get_expr(d.adbin, 0) END,
         EXISTS (
            SELECT FROM pg_catalog.regexp_matches(d.adbin::pg_catalog.text, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS f(id)
              JOIN pg_catalog.pg_proc o ON o.oid OPERATOR(pg_catalog.=) f.id[1]::pg_catalog.oid
             WHERE o.provolatile OPERATOR(pg_catalog.=) 'v'::pg_catalog."char")
       )::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM pg_catalog.pg_attrdef d
 CROSS JOIN LATERAL (SELECT a.attgenerated FROM pg_catalog.pg_attribute a
                      WHERE a.attrelid OPERATOR(pg_catalog.=) d.adrelid AND a.attnum OPERATOR(pg_catalog.=) d.adnum OFFSET 0) a
 WHERE d.adrelid OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 3)::pg_catalog.oid[])
