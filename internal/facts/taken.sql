-- Which of the names that the server would choose it cannot have: a row each, as of resolve.sql, whose rules it obeys. The parameter is that of resolve.sql; of its
-- entries those with candidates matter here.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('taken', w.number, w.oid, t.name)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM (SELECT w.number, w.candidates, w."constraint", o.oid, (SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) o.oid) AS schema
          FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json)
               AS w(number pg_catalog.int4, name pg_catalog.text, schema pg_catalog.text, candidates pg_catalog.json, "constraint" pg_catalog.bool)
         CROSS JOIN LATERAL (SELECT CASE WHEN w.name OPERATOR(pg_catalog.<>) '' AND pg_catalog.has_schema_privilege(
                                                  pg_catalog.to_regnamespace(pg_catalog.quote_ident(w.schema))::pg_catalog.oid, 'USAGE') IS NOT FALSE
                                         THEN pg_catalog.to_regclass(w.name)::pg_catalog.oid END AS oid OFFSET 0) o
        WHERE w.number OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) w.number -- see resolve.sql: so that few are expected
          AND w.candidates IS NOT NULL
        OFFSET 0) w
 CROSS JOIN LATERAL pg_catalog.json_array_elements_text(w.candidates) AS t(name)
 WHERE CASE WHEN w."constraint"
            THEN EXISTS (SELECT FROM pg_catalog.pg_constraint k
                          WHERE k.conname OPERATOR(pg_catalog.=) t.name::pg_catalog.name AND k.connamespace OPERATOR(pg_catalog.=) w.schema OFFSET 0)
            ELSE EXISTS (SELECT FROM pg_catalog.pg_class b
                          WHERE b.relname OPERATOR(pg_catalog.=) t.name::pg_catalog.name AND b.relnamespace OPERATOR(pg_catalog.=) w.schema OFFSET 0) END
