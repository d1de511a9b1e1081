-- The table that a name stands for in this session, with its columns, and which of the tables that tools make beside theirs are in its schema; no row
-- if there is none, or if its schema hides it. It must not fail for want of
-- a right: in a pipeline that would undo the client's work. (The name comes from a row, so that no planner looks it up beforehand.)
SELECT pg_catalog.json_build_object('oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'beside', (
	SELECT pg_catalog.json_agg(b.relname ORDER BY b.relname)
	FROM pg_catalog.pg_class AS b
	WHERE b.relnamespace OPERATOR(pg_catalog.=) n.oid AND b.relname OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.text[]::pg_catalog.name[])),
	'columns', (
	SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
		'readable', pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')) ORDER BY a.attnum)
	FROM pg_catalog.pg_attribute AS a
	WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped))
FROM pg_catalog.unnest(ARRAY[$1::pg_catalog.text]) AS w(name)
JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) CASE
	WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS y, pg_catalog.parse_ident(w.name) AS i(parts)
		WHERE pg_catalog.cardinality(i.parts) OPERATOR(pg_catalog.>) 1 AND y.nspname OPERATOR(pg_catalog.=) i.parts[1]::pg_catalog.name
			AND NOT pg_catalog.has_schema_privilege(y.oid, 'USAGE'))
	THEN pg_catalog.to_regclass(w.name)::pg_catalog.oid END
JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
