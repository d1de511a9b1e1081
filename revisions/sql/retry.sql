-- $3 is the promise.
UPDATE pgsluice.promises AS p
SET state = 'pending', released = true, not_before = NULL, claimed_by = '', claimed_pid = 0, claimed_start = 0, heartbeat = NULL,
	finished = NULL
WHERE p.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND p.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND p.id OPERATOR(pg_catalog.=) $3::bigint
	AND p.state OPERATOR(pg_catalog.=) 'failed'
RETURNING p.id
