-- What the names of collations that a statement uses mean: a row for each that is found, as of resolve.sql, whose rules it obeys. In the order of addCollation. The parameter is
-- that of resolve.sql; of its entries collations matter here.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('collation', f.schema, f.name, l.oid)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json) AS w(collations pg_catalog.json)
 CROSS JOIN LATERAL pg_catalog.json_to_recordset(w.collations) AS f(schema pg_catalog.text, name pg_catalog.text)
  JOIN pg_catalog.pg_collation l ON l.collname OPERATOR(pg_catalog.=) f.name::pg_catalog.name
 WHERE f.name OPERATOR(pg_catalog.||) '' OPERATOR(pg_catalog.=) f.name -- see resolve.sql: so that few are expected
   AND l.collencoding OPERATOR(pg_catalog.=) ANY (ARRAY[-1, pg_catalog.pg_char_to_encoding(pg_catalog.getdatabaseencoding())])
   AND CASE WHEN f.schema OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_collation_is_visible(l.oid)
            ELSE l.collnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace(pg_catalog.quote_ident(f.schema))::pg_catalog.oid END
