-- What depends on the relations that a statement names and on the types of their rows, as pg_depend has it; their triggers; and whether there is any publication: a row
-- each, in the order of addDependency and addTrigger, as of resolve.sql, whose rules it obeys. What is ordinary and known from elsewhere is left out: types of rows, indexes,
-- the TOAST table, constraints of the relation itself.
-- The catalogs have the same OIDs in every database: 1259 is pg_class, 1247 pg_type, 2604 pg_attrdef, 2606 pg_constraint, 2620 pg_trigger.
SELECT pg_catalog.encode(pg_catalog.convert_to(x.answer,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM (
     SELECT ROW('depend',
              c.oid, d.refobjid,
              d.refclassid, d.refobjsubid, d.classid, d.objid, d.objsubid, d.deptype, o.relkind, o.relnamespace::pg_catalog.regnamespace, o.relname,
              -- How the relation is written, where one of its columns or triggers depends on a column.
              CASE WHEN d.objid OPERATOR(pg_catalog.=) c.oid
                     OR d.classid OPERATOR(pg_catalog.=) 2604::pg_catalog.oid AND d.deptype OPERATOR(pg_catalog.=) 'n'::pg_catalog."char"
                     OR d.classid OPERATOR(pg_catalog.=) 2620::pg_catalog.oid AND d.refobjsubid OPERATOR(pg_catalog.>) 0
                   THEN pg_catalog.concat(c.relnamespace::pg_catalog.regnamespace, '.', pg_catalog.quote_ident(c.relname)) END
            )::pg_catalog.text AS answer
       FROM pg_catalog.pg_class c
      -- OFFSET: see columns.sql.
      CROSS JOIN LATERAL (
         SELECT d.refclassid, d.refobjid, d.refobjsubid, d.classid, d.objid, d.objsubid, d.deptype
           FROM pg_catalog.pg_depend d
          WHERE d.refclassid OPERATOR(pg_catalog.=) ANY (ARRAY[1259, 1247]::pg_catalog.oid[])
            AND d.refobjid OPERATOR(pg_catalog.=) ANY (ARRAY[c.oid, c.reltype,
                   (SELECT y.typarray FROM pg_catalog.pg_type y WHERE y.oid OPERATOR(pg_catalog.=) c.reltype)])
            AND d.deptype OPERATOR(pg_catalog.<>) 'p'::pg_catalog."char" -- pinned by the system, before 14
            AND d.classid OPERATOR(pg_catalog.<>) 1247::pg_catalog.oid
            AND (d.classid OPERATOR(pg_catalog.<>) 2606::pg_catalog.oid OR d.deptype OPERATOR(pg_catalog.=) 'n'::pg_catalog."char"
              OR d.refclassid OPERATOR(pg_catalog.=) 1247::pg_catalog.oid)
         OFFSET 0) d
       LEFT JOIN LATERAL (SELECT o.relkind, o.relname, o.relnamespace FROM pg_catalog.pg_class o
                           WHERE o.oid OPERATOR(pg_catalog.=) d.objid OFFSET 0) o
              ON d.classid OPERATOR(pg_catalog.=) 1259::pg_catalog.oid
      WHERE c.oid OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 4)::pg_catalog.oid[])
        AND (d.refclassid OPERATOR(pg_catalog.=) 1247::pg_catalog.oid
          OR COALESCE(o.relkind OPERATOR(pg_catalog.<>) ALL (ARRAY['t', 'i', 'I']::pg_catalog."char"[]), true))
      UNION ALL
     SELECT ROW('trigger',
              g.oid, g.tgrelid, NULL, NULL, g.tgname,
              (SELECT pg_catalog.concat(p.pronamespace::pg_catalog.regnamespace, '.', pg_catalog.quote_ident(p.proname))
                 FROM pg_catalog.pg_proc p WHERE p.oid OPERATOR(pg_catalog.=) g.tgfoid),
              g.tgenabled, g.tgtype, g.tgconstraint OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
            )::pg_catalog.text
       FROM pg_catalog.pg_trigger g
      WHERE g.tgrelid OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 4)::pg_catalog.oid[]) AND NOT g.tgisinternal
      UNION ALL
     (SELECT ROW('published')::pg_catalog.text FROM pg_catalog.pg_publication LIMIT 1)) x
