-- Who has the names of indexes about to be made: a row each, as of resolve.sql, whose rules it obeys. The parameter is that of resolve.sql; of its entries those
-- with an index matter here. In the order of addSibling.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('sibling', w.number, w.oid,
         b.oid, b.relnamespace::pg_catalog.regnamespace, b.relname, b.relkind, b.relpersistence, pg_catalog.pg_get_userbyid(b.relowner),
         COALESCE(pg_catalog.pg_has_role(b.relowner, 'USAGE'), false),
         -- Whether its table is busy is asked anew: that may have changed meanwhile.
         CASE WHEN o.oid OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 2)::pg_catalog.oid[])
               AND NOT o.oid OPERATOR(pg_catalog.=) ANY ($busy)
              THEN pg_catalog.pg_get_indexdef(b.oid) END,
         o.oid, o.relname, o.relkind)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM (SELECT w.number, w.index::pg_catalog.name AS index, o.oid, (SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) o.oid) AS schema
          FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json)
               AS w(number pg_catalog.int4, name pg_catalog.text, schema pg_catalog.text, index pg_catalog.text)
         CROSS JOIN LATERAL (SELECT CASE WHEN w.name OPERATOR(pg_catalog.<>) '' AND pg_catalog.has_schema_privilege(
                                                  pg_catalog.to_regnamespace(pg_catalog.quote_ident(w.schema))::pg_catalog.oid, 'USAGE') IS NOT FALSE
                                         THEN pg_catalog.to_regclass(w.name)::pg_catalog.oid END AS oid OFFSET 0) o
        WHERE w.number OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) w.number -- see resolve.sql: so that few are expected
          AND w.index IS NOT NULL
        OFFSET 0) w
  -- OFFSET: see columns.sql.
 CROSS JOIN LATERAL (SELECT b.oid, b.relnamespace, b.relname, b.relkind, b.relpersistence, b.relowner FROM pg_catalog.pg_class b
                      WHERE b.relname OPERATOR(pg_catalog.=) w.index AND b.relnamespace OPERATOR(pg_catalog.=) w.schema OFFSET 0) b
  LEFT JOIN LATERAL (SELECT o.oid, o.relname, o.relkind FROM pg_catalog.pg_index y JOIN pg_catalog.pg_class o ON o.oid OPERATOR(pg_catalog.=) y.indrelid
                      WHERE y.indexrelid OPERATOR(pg_catalog.=) b.oid OFFSET 0) o ON true
