DELETE FROM pgsluice.artifacts AS f
WHERE f.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND f.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND f.id OPERATOR(pg_catalog.=) $3::bigint
