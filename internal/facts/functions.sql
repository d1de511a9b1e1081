-- What the names of functions that a statement uses can mean: a row for each function, or one of none, as of resolve.sql, whose rules it obeys. In the order of
-- addFunction. The parameter is that of resolve.sql; of its entries functions matter here. The schema pg_catalog has the OID 11.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('function', f.schema, f.name, p.provolatile, p.pronamespace OPERATOR(pg_catalog.=) 11::pg_catalog.oid)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json) AS w(functions pg_catalog.json)
 CROSS JOIN LATERAL pg_catalog.json_to_recordset(w.functions) AS f(schema pg_catalog.text, name pg_catalog.text)
  LEFT JOIN LATERAL (SELECT p.provolatile, p.pronamespace
                       FROM pg_catalog.pg_proc p
                      WHERE p.proname OPERATOR(pg_catalog.=) f.name::pg_catalog.name
                        AND CASE WHEN f.schema OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_function_is_visible(p.oid)
                                 ELSE p.pronamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace(pg_catalog.quote_ident(f.schema))::pg_catalog.oid END
                     OFFSET 0) p ON true
 WHERE f.name OPERATOR(pg_catalog.||) '' OPERATOR(pg_catalog.=) f.name -- see resolve.sql: so that few are expected
