-- What a step on the index ($2, $3) of the table $1 may meet: whatever has that name, the index with the OID $4, and what
-- REINDEX CONCURRENTLY leaves beside one.
SELECT pg_catalog.json_build_object(
	'oid', c.oid::pg_catalog.int8,
	'schema', n.nspname,
	'name', c.relname,
	'ours', COALESCE(i.indrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND c.relkind OPERATOR(pg_catalog.=) 'i', false),
	'valid', COALESCE(i.indisvalid AND i.indisready AND i.indislive, false),
	'definition', CASE WHEN i.indexrelid IS NOT NULL THEN pg_catalog.pg_get_indexdef(c.oid) END)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid
WHERE c.oid OPERATOR(pg_catalog.=) $4::pg_catalog.oid
OR n.nspname OPERATOR(pg_catalog.=) $2 AND c.relname OPERATOR(pg_catalog.=) $3
OR i.indrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND n.nspname OPERATOR(pg_catalog.=) $2 AND NOT i.indisvalid
	AND (pg_catalog.starts_with(c.relname::pg_catalog.text, $3 OPERATOR(pg_catalog.||) '_ccnew')
		OR pg_catalog.starts_with(c.relname::pg_catalog.text, $3 OPERATOR(pg_catalog.||) '_ccold'))
