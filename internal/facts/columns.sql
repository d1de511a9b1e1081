-- The columns of the relations to describe: a row each, as of resolve.sql, whose rules it obeys. In the order of addColumn.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('column',
         a.attrelid, a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atttypid,
         y.typnamespace::pg_catalog.regnamespace, y.typname, a.atttypmod, a.attcollation, a.attidentity, a.attgenerated, a.attstorage, a.atthasdef,
         a.attinhcount OPERATOR(pg_catalog.>) 0, pg_catalog.array_to_json(a.attacl)
       )::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM pg_catalog.pg_attribute a
  -- Most types are known (builtin.go). OFFSET: one look for each other column, and not the whole catalog: the planner expects far more than there are.
  LEFT JOIN LATERAL (SELECT y.typname, y.typnamespace FROM pg_catalog.pg_type y WHERE y.oid OPERATOR(pg_catalog.=) a.atttypid OFFSET 0) y
         ON a.atttypid OPERATOR(pg_catalog.<>) ALL ($types)
 WHERE a.attrelid OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 2)::pg_catalog.oid[])
   AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT a.attisdropped
