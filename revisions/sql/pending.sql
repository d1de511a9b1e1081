-- $3 is the transaction, $4 and $5 are the backend that ran it.
WITH chosen AS (
	SELECT p.*
	FROM pgsluice.promises AS p
	WHERE p.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND p.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND p.xid OPERATOR(pg_catalog.=) $3::pg_catalog.xid8
		AND p.pid OPERATOR(pg_catalog.=) $4::integer AND p.backend_start OPERATOR(pg_catalog.=) $5::bigint
		AND p.state OPERATOR(pg_catalog.=) 'pending'
)
