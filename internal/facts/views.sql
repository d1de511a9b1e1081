-- The rules that depend on relations, with what they belong to and, of a view, what depends on that: a row each, in the order of addRule, as of resolve.sql, whose
-- rules it obeys.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('rule',
         w.oid, w.rulename, c.oid, c.relkind, c.relnamespace::pg_catalog.regnamespace, c.relname,
         pg_catalog.concat(c.relnamespace::pg_catalog.regnamespace, '.', pg_catalog.quote_ident(c.relname)),
         d.refclassid, d.refobjsubid, d.classid, d.objid, d.objsubid, d.deptype, o.relkind, o.relnamespace::pg_catalog.regnamespace, o.relname, NULL
       )::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM pg_catalog.pg_rewrite w
  -- OFFSET: see columns.sql.
 CROSS JOIN LATERAL (SELECT c.oid, c.relkind, c.relnamespace, c.relname FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) w.ev_class OFFSET 0) c
  LEFT JOIN LATERAL (
     SELECT d.refclassid, d.refobjsubid, d.classid, d.objid, d.objsubid, d.deptype
       FROM pg_catalog.pg_depend d
      WHERE d.refclassid OPERATOR(pg_catalog.=) 1259::pg_catalog.oid AND d.refobjid OPERATOR(pg_catalog.=) c.oid
        AND d.deptype OPERATOR(pg_catalog.<>) 'p'::pg_catalog."char"
     OFFSET 0) d ON w.rulename OPERATOR(pg_catalog.=) '_RETURN'
  LEFT JOIN LATERAL (SELECT o.relkind, o.relname, o.relnamespace FROM pg_catalog.pg_class o WHERE o.oid OPERATOR(pg_catalog.=) d.objid OFFSET 0) o
         ON d.classid OPERATOR(pg_catalog.=) 1259::pg_catalog.oid
 WHERE w.oid OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 7)::pg_catalog.oid[])
