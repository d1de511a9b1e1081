-- How many rows of a table can have one value in some of its columns: one row for each table that is asked about, a JSON text in base64. The
-- parameter is hex of a UTF-8 JSON list of {number, name, schema, columns}. It obeys the rules of resolve.sql; and since it is asked about ordinary writes,
-- it reads no more than a few catalog rows, and no size that a lock could hide. A key is one of all rows that the name stands for, by the equality of the
-- columns themselves. A table is the only one when the name means it, or nothing, in every session that has no temporary table of that name.
SELECT pg_catalog.translate(pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
         'number', w.number,
         'only', c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char" AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_class o
             WHERE o.relname OPERATOR(pg_catalog.=) c.relname AND o.oid OPERATOR(pg_catalog.<>) c.oid
               AND o.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"),
         'keys', (
            SELECT pg_catalog.json_agg((
                     SELECT pg_catalog.json_agg(a.attname)
                       FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS u(num, place)
                       JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid AND a.attnum OPERATOR(pg_catalog.=) u.num
                      WHERE u.place OPERATOR(pg_catalog.<=) i.indnkeyatts::pg_catalog.int8))
              FROM pg_catalog.pg_index i
             WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid AND i.indisunique AND i.indisvalid AND i.indisready
               AND i.indpred IS NULL AND i.indexprs IS NULL
               AND (c.relkind OPERATOR(pg_catalog.=) 'p'::pg_catalog."char" OR NOT c.relhassubclass)
               AND NOT EXISTS (
                     SELECT FROM ROWS FROM (pg_catalog.unnest(i.indkey::pg_catalog.int2[]), pg_catalog.unnest(i.indclass::pg_catalog.oid[]),
                              pg_catalog.unnest(i.indcollation::pg_catalog.oid[])) WITH ORDINALITY AS u(num, class, sorted, place)
                       JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid AND a.attnum OPERATOR(pg_catalog.=) u.num
                       JOIN pg_catalog.pg_opclass p ON p.oid OPERATOR(pg_catalog.=) u.class
                      WHERE u.place OPERATOR(pg_catalog.<=) i.indnkeyatts::pg_catalog.int8
                        AND NOT (p.opcdefault AND u.sorted OPERATOR(pg_catalog.=) a.attcollation))),
         'rows', CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'r'::pg_catalog."char" AND NOT c.relhassubclass
                      THEN GREATEST(c.reltuples::pg_catalog.float8, pg_catalog.pg_stat_get_live_tuples(c.oid)::pg_catalog.float8) ELSE -1 END,
         'often', (
            SELECT pg_catalog.json_object_agg(s.attname, GREATEST(
                     CASE WHEN s.n_distinct OPERATOR(pg_catalog.>) 0::pg_catalog.float4 THEN 1 OPERATOR(pg_catalog./) s.n_distinct::pg_catalog.float8
                          WHEN s.n_distinct OPERATOR(pg_catalog.<) 0::pg_catalog.float4 AND c.reltuples OPERATOR(pg_catalog.>) 0::pg_catalog.float4
                          THEN (-1) OPERATOR(pg_catalog./) (s.n_distinct::pg_catalog.float8 OPERATOR(pg_catalog.*) c.reltuples::pg_catalog.float8) ELSE 1 END,
                     s.most_common_freqs[1]::pg_catalog.float8))
              FROM pg_catalog.pg_stats s
             WHERE s.schemaname OPERATOR(pg_catalog.=) n.nspname AND s.tablename OPERATOR(pg_catalog.=) c.relname AND NOT s.inherited
               AND s.attname OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT t.name::pg_catalog.name FROM pg_catalog.json_array_elements_text(w.columns) AS t(name))))
       )::pg_catalog.text,
       CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64'), E'\n', '')
  FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json)
       AS w(number pg_catalog.int4, name pg_catalog.text, schema pg_catalog.text, columns pg_catalog.json)
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) CASE
         WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_namespace y
                           WHERE y.nspname OPERATOR(pg_catalog.=) w.schema::pg_catalog.name AND NOT pg_catalog.has_schema_privilege(y.oid, 'USAGE'))
         THEN pg_catalog.to_regclass(w.name)::pg_catalog.oid END
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
