-- The relations of a database that a schema change could be about, as [schema, name].
SELECT pg_catalog.json_build_array(n.nspname, c.relname)::pg_catalog.text
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'm', 'f', 'v', 'S']::pg_catalog."char"[])
   AND c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
   AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')
   AND n.nspname OPERATOR(pg_catalog.<>) ALL (ARRAY['information_schema', 'pgsluice']::pg_catalog.name[])
 ORDER BY n.nspname, c.relname
