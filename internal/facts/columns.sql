-- The columns of the relations that facts.sql describes: one row, one column, as of facts.sql, whose rules it obeys.
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object('columns', pg_catalog.json_agg(c))::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM (
   SELECT a.attrelid::pg_catalog.int8 AS relation, a.attnum AS num, a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
          a.attnotnull AS not_null, a.atttypid::pg_catalog.int8 AS type_oid, n.nspname AS type_schema, y.typname AS type_name, a.atttypmod AS type_mod,
          a.attcollation::pg_catalog.int8 AS collation, a.attidentity AS identity, a.attgenerated AS generated, a.attstorage AS storage,
          a.atthasdef AS has_default, a.attinhcount OPERATOR(pg_catalog.>) 0 AS inherited
     FROM pg_catalog.unnest(pg_catalog.split_part($about, ' ', 1)::pg_catalog.oid[]) AS u(oid)
    -- OFFSET: one look for each relation, and for each column, and not whole catalogs: the planner expects far more than there are.
    CROSS JOIN LATERAL (SELECT a.* FROM pg_catalog.pg_attribute a
                         WHERE a.attrelid OPERATOR(pg_catalog.=) u.oid AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2
                           AND NOT a.attisdropped OFFSET 0) a
     LEFT JOIN LATERAL (SELECT y.typname, y.typnamespace FROM pg_catalog.pg_type y
                         WHERE y.oid OPERATOR(pg_catalog.=) a.atttypid OFFSET 0) y ON true
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) y.typnamespace) c
