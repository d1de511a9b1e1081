-- $3 is the promise; $4 to $6: who runs it.
UPDATE pgsluice.promises AS p
SET heartbeat = pg_catalog.clock_timestamp()
WHERE p.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND p.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND p.id OPERATOR(pg_catalog.=) $3::bigint
	AND p.state OPERATOR(pg_catalog.=) ANY (ARRAY['pending', 'running'])
	AND (p.claimed_by OPERATOR(pg_catalog.=) $4::pg_catalog.text
		OR p.claimed_by OPERATOR(pg_catalog.=) '' AND NOT p.released
			AND p.pid OPERATOR(pg_catalog.=) $5::integer AND p.backend_start OPERATOR(pg_catalog.=) $6::bigint)
RETURNING p.id
