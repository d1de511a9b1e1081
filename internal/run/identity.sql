-- $1 is a list of relations: oid, schema, name, columns by attribute number. Each row says, as JSON, of which one what is no longer so.
-- OFFSET: one look for each relation and column, and not all of the catalog: the planner expects hundreds. Others may be waiting for the answer.
SELECT pg_catalog.json_build_object('oid', w.oid::pg_catalog.int8, 'gone', c.oid IS NULL, 'what', CASE
	WHEN c.oid IS NULL THEN pg_catalog.format('table %I.%I is gone', w.schema, w.name)
	WHEN c.nspname OPERATOR(pg_catalog.<>) w.schema OR c.relname OPERATOR(pg_catalog.<>) w.name THEN
		pg_catalog.format('table %I.%I is now %I.%I', w.schema, w.name, c.nspname, c.relname)
	WHEN a.attname IS NULL THEN pg_catalog.format('column %I of table %I.%I is gone', k.value, w.schema, w.name)
	ELSE pg_catalog.format('column %I of table %I.%I is now %I', k.value, w.schema, w.name, a.attname)
END)
FROM pg_catalog.json_to_recordset($1::pg_catalog.json) AS w(oid pg_catalog.oid, schema pg_catalog.text, name pg_catalog.text, columns pg_catalog.json)
LEFT JOIN LATERAL (
	SELECT c.oid, c.relname, n.nspname
	FROM pg_catalog.pg_class AS c
	JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	WHERE c.oid OPERATOR(pg_catalog.=) w.oid OFFSET 0) AS c ON true
LEFT JOIN LATERAL pg_catalog.json_each_text(COALESCE(w.columns, '{}')) AS k(number, value) ON true
LEFT JOIN LATERAL (
	SELECT a.attname FROM pg_catalog.pg_attribute AS a
	WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.=) k.number::pg_catalog.int2 AND NOT a.attisdropped OFFSET 0) AS a ON true
WHERE c.oid IS NULL
OR c.nspname OPERATOR(pg_catalog.<>) w.schema
OR c.relname OPERATOR(pg_catalog.<>) w.name
OR k.number IS NOT NULL AND (a.attname IS NULL OR a.attname OPERATOR(pg_catalog.<>) k.value)
ORDER BY w.oid
