-- The last job of $3 (login), $4 (role), $5 (table) and $6 (fingerprint) that has ended.
WITH chosen AS (
	SELECT j.*
	FROM pgsluice.jobs AS j
	WHERE j.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND j.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND j.login OPERATOR(pg_catalog.=) $3::pg_catalog.oid AND j.role OPERATOR(pg_catalog.=) $4::pg_catalog.oid
		AND j.table_oid OPERATOR(pg_catalog.=) $5::pg_catalog.oid AND j.fingerprint OPERATOR(pg_catalog.=) $6::pg_catalog.text
		AND j.state OPERATOR(pg_catalog.=) ANY (ARRAY['done', 'void'])
	ORDER BY j.id DESC
	LIMIT 1
)
