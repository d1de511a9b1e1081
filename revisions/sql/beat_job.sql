-- $3: id; $4 to $6: the runner; $7: why the job waits. Returns what people want of it.
UPDATE pgsluice.jobs AS j
SET heartbeat = pg_catalog.clock_timestamp(), reason = $7::pg_catalog.text
WHERE j.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND j.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND j.id OPERATOR(pg_catalog.=) $3::bigint
	AND j.state OPERATOR(pg_catalog.=) 'running'
	AND j.runner OPERATOR(pg_catalog.=) $4::pg_catalog.text
	AND j.pid OPERATOR(pg_catalog.=) $5::integer AND j.backend_start OPERATOR(pg_catalog.=) $6::bigint
RETURNING pg_catalog.json_build_object('wanted', j.wanted, 'target_time', j.target_time, 'nice_ratio', j.nice_ratio)
