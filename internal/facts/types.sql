-- What the names of types that a statement uses mean: a row for each, as of resolve.sql, whose rules it obeys. In the order of addType; the types are looked up in
-- pg_type, since to_regtype raises for one that is not finished. The parameter is that of resolve.sql; of its entries types matter here.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('type', true, a.schema, a.name, a."array",
         t.oid, t.typnamespace::pg_catalog.regnamespace, t.typname, t.typtype, t.typcategory,
         CASE WHEN t.typcategory OPERATOR(pg_catalog.=) 'A'::pg_catalog."char" THEN t.typelem END, t.typarray, pg_catalog.format_type(t.oid, -1),
         t.has_default, t.typcollation, pg_catalog.pg_get_userbyid(t.typowner), COALESCE(pg_catalog.pg_has_role(t.typowner, 'USAGE'), false),
         pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL
       )::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json) AS w(types pg_catalog.json)
 CROSS JOIN LATERAL pg_catalog.json_to_recordset(w.types) AS a(schema pg_catalog.text, name pg_catalog.text, "array" pg_catalog.bool)
  LEFT JOIN LATERAL (SELECT t.oid, t.typnamespace, t.typname, t.typtype, t.typcategory, t.typelem, t.typarray, t.typcollation, t.typowner,
                            t.typdefault IS NOT NULL AS has_default
                       FROM pg_catalog.pg_type t
                      WHERE t.typname OPERATOR(pg_catalog.=) a.name::pg_catalog.name
                        AND CASE WHEN a.schema OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_type_is_visible(t.oid)
                                 ELSE t.typnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace(pg_catalog.quote_ident(a.schema))::pg_catalog.oid END
                     OFFSET 0) t ON true
 WHERE a.name OPERATOR(pg_catalog.||) '' OPERATOR(pg_catalog.=) a.name -- see resolve.sql: so that few are expected
