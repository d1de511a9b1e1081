-- The users' triggers that depend on relations: a row each, in the order of addTrigger, as of resolve.sql, whose rules it obeys.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('trigger',
         g.oid, g.tgrelid, c.relnamespace::pg_catalog.regnamespace, pg_catalog.concat(c.relnamespace::pg_catalog.regnamespace, '.', pg_catalog.quote_ident(c.relname)),
         g.tgname, pg_catalog.concat(p.pronamespace::pg_catalog.regnamespace, '.', pg_catalog.quote_ident(p.proname)),
         g.tgenabled, g.tgtype, g.tgconstraint OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
       )::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM pg_catalog.pg_trigger g
  -- OFFSET: see columns.sql.
 CROSS JOIN LATERAL (SELECT c.relnamespace, c.relname FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) g.tgrelid OFFSET 0) c
 CROSS JOIN LATERAL (SELECT p.pronamespace, p.proname FROM pg_catalog.pg_proc p WHERE p.oid OPERATOR(pg_catalog.=) g.tgfoid OFFSET 0) p
 WHERE g.oid OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 8)::pg_catalog.oid[]) AND NOT g.tgisinternal
