-- The constraints of the relations that facts.sql describes: one row, one column, as of facts.sql, whose rules it obeys.
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object('constraints', pg_catalog.json_agg(c))::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM (
   SELECT k.conrelid::pg_catalog.int8 AS relation, k.oid::pg_catalog.int8 AS oid, k.conname AS name, k.contype AS type, k.convalidated AS validated,
          k.conkey AS nums, k.condeferrable AS deferrable, k.condeferred AS deferred, k.connoinherit AS no_inherit, k.conislocal AS local,
          k.coninhcount OPERATOR(pg_catalog.>) 0 OR k.conparentid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid AS inherited,
          -- The column is there since 18, and what is not enforced is not validated either.
          CASE WHEN NOT k.convalidated AND pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 180000
               THEN pg_catalog.json_extract_path_text(pg_catalog.row_to_json(k), 'conenforced')::pg_catalog.bool ELSE true END AS enforced,
          k.conindid::pg_catalog.int8 AS index, k.confrelid::pg_catalog.int8 AS parent, p.nspname AS parent_schema, p.relname AS parent_name,
          CASE WHEN k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char" THEN ARRAY(
             SELECT a.attname
               FROM pg_catalog.pg_attribute a
              WHERE a.attrelid OPERATOR(pg_catalog.=) k.confrelid AND a.attnum OPERATOR(pg_catalog.=) ANY (k.confkey)
              ORDER BY pg_catalog.array_position(k.confkey, a.attnum)) END AS parent_columns
     FROM pg_catalog.unnest(pg_catalog.split_part($about, ' ', 1)::pg_catalog.oid[]) AS u(oid)
    -- OFFSET: see columns.sql.
    CROSS JOIN LATERAL (SELECT k.* FROM pg_catalog.pg_constraint k
                         WHERE k.conrelid OPERATOR(pg_catalog.=) u.oid AND k.contype OPERATOR(pg_catalog.<>) 't'::pg_catalog."char" OFFSET 0) k
     LEFT JOIN LATERAL (SELECT p.relname, n.nspname FROM pg_catalog.pg_class p
                          LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.relnamespace
                         WHERE p.oid OPERATOR(pg_catalog.=) k.confrelid OFFSET 0) p ON k.confrelid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid) c
