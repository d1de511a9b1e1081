-- The extended statistics that depend on relations: a row each, as of resolve.sql, whose rules it obeys.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('statistics', e.oid, e.stxnamespace::pg_catalog.regnamespace, e.stxname)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM pg_catalog.pg_statistic_ext e
 WHERE e.oid OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 10)::pg_catalog.oid[])
