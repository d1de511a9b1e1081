-- Those of the relations that carry a trigger of citus or timescaledb, by OID: their rows are elsewhere. One row, one column of base64 of UTF-8 JSON, as of resolve.sql, whose rules it
-- obeys. The parameter is hex of a JSON list of OIDs.
SELECT pg_catalog.encode(pg_catalog.convert_to(COALESCE(pg_catalog.json_agg(w.oid), '[]'::pg_catalog.json)::pg_catalog.text, 'UTF8'), 'base64')
  FROM (SELECT a.oid::pg_catalog.int8 AS oid
          FROM pg_catalog.json_array_elements_text(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json) AS a(oid)
         WHERE a.oid OPERATOR(pg_catalog.||) '' OPERATOR(pg_catalog.=) a.oid) w -- see resolve.sql: so that few are expected
 WHERE EXISTS (
    SELECT FROM pg_catalog.pg_trigger g
      JOIN pg_catalog.pg_depend d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
                                 AND d.objid OPERATOR(pg_catalog.=) g.tgfoid
                                 AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
      JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
                                    AND e.extname OPERATOR(pg_catalog.=) ANY (ARRAY['citus', 'timescaledb']::pg_catalog.name[])
     WHERE g.tgrelid OPERATOR(pg_catalog.=) w.oid::pg_catalog.oid)
