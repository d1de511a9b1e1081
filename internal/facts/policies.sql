-- The row security policies that depend on relations: a row each, in the order of addPolicy, as of resolve.sql, whose rules it obeys.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('policy',
         p.oid, p.polrelid, c.relnamespace::pg_catalog.regnamespace, pg_catalog.concat(c.relnamespace::pg_catalog.regnamespace, '.', pg_catalog.quote_ident(c.relname)),
         p.polname, p.polcmd, p.polpermissive
       )::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM pg_catalog.pg_policy p
  -- OFFSET: see columns.sql.
 CROSS JOIN LATERAL (SELECT c.relnamespace, c.relname FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) p.polrelid OFFSET 0) c
 WHERE p.oid OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 9)::pg_catalog.oid[])
