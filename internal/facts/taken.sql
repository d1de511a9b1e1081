-- Who has the names that a statement gives to what it makes, or that the server would choose: one row, one column of base64 of UTF-8 JSON, by the rules of resolve.sql. The
-- parameter is that of resolve.sql; of its entries those with an index or with candidates matter here.
WITH wanted AS MATERIALIZED (
  SELECT w.number, w.index::pg_catalog.name AS index, w.candidates, w."constraint", o.oid
    FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json)
         AS w(number pg_catalog.int4, name pg_catalog.text, schema pg_catalog.text, index pg_catalog.text,
              candidates pg_catalog.json, "constraint" pg_catalog.bool)
   CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace n
                                       WHERE n.nspname OPERATOR(pg_catalog.=) w.schema::pg_catalog.name
                                         AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')) AS hidden OFFSET 0) h
   CROSS JOIN LATERAL (SELECT CASE WHEN NOT h.hidden AND w.name OPERATOR(pg_catalog.<>) '' THEN pg_catalog.to_regclass(w.name)::pg_catalog.oid END AS oid
                       OFFSET 0) o
   WHERE w.number OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) w.number -- see resolve.sql: so that few are expected
     AND (w.index IS NOT NULL OR w.candidates IS NOT NULL)
)
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object('names', pg_catalog.json_agg(a))::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM (
   SELECT w.number, w.oid::pg_catalog.int8 AS oid,
          ARRAY(
            SELECT t.name
              FROM pg_catalog.json_array_elements_text(w.candidates) AS t(name)
             WHERE CASE WHEN w."constraint"
                        THEN EXISTS (SELECT FROM pg_catalog.pg_constraint k
                                      WHERE k.conname OPERATOR(pg_catalog.=) t.name::pg_catalog.name AND k.connamespace OPERATOR(pg_catalog.=) c.relnamespace OFFSET 0)
                        ELSE EXISTS (SELECT FROM pg_catalog.pg_class b
                                      WHERE b.relname OPERATOR(pg_catalog.=) t.name::pg_catalog.name AND b.relnamespace OPERATOR(pg_catalog.=) c.relnamespace OFFSET 0)
                   END) AS taken,
          (SELECT pg_catalog.json_build_object(
                    'oid', b.oid::pg_catalog.int8, 'schema', n.nspname, 'name', b.relname, 'kind', b.relkind, 'persistence', b.relpersistence,
                    'owner', pg_catalog.pg_get_userbyid(b.relowner),
                    'may_alter', COALESCE(pg_catalog.pg_has_role(b.relowner, 'USAGE'), false),
                    -- Whether its table is busy is asked anew: that may have changed meanwhile.
                    'definition', CASE WHEN y.indrelid OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 2)::pg_catalog.oid[])
                                        AND NOT y.indrelid OPERATOR(pg_catalog.=) ANY ($busy)
                                       THEN pg_catalog.pg_get_indexdef(b.oid) END,
                    'table', CASE WHEN o.oid IS NOT NULL THEN pg_catalog.json_build_object(
                       'oid', o.oid::pg_catalog.int8, 'schema', n.nspname, 'name', o.relname, 'kind', o.relkind) END)
             FROM pg_catalog.pg_class b
             JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) b.relnamespace
             LEFT JOIN pg_catalog.pg_index y ON y.indexrelid OPERATOR(pg_catalog.=) b.oid
             LEFT JOIN pg_catalog.pg_class o ON o.oid OPERATOR(pg_catalog.=) y.indrelid
            WHERE b.relname OPERATOR(pg_catalog.=) w.index AND b.relnamespace OPERATOR(pg_catalog.=) c.relnamespace) AS sibling
     FROM wanted w
    CROSS JOIN LATERAL (SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) w.oid OFFSET 0) c) a
