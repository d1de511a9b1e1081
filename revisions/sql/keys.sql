SELECT pg_catalog.json_build_object(
	'id', k.id,
	'inner_pad', pg_catalog.encode(k.inner_pad, 'hex'),
	'retired', k.retired IS NOT NULL)
FROM pgsluice.keys AS k
WHERE k.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND k.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
ORDER BY k.id
