-- $3 is the promise, $4 the reason. One that is running is left to the backend that runs it, while that lives: who has claimed it, else who wrote it. A
-- backend whose start we may not see counts as alive.
UPDATE pgsluice.promises AS p
SET state = 'void', message = $4::pg_catalog.text, finished = pg_catalog.clock_timestamp()
WHERE p.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND p.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND p.id OPERATOR(pg_catalog.=) $3::bigint
	AND (p.state OPERATOR(pg_catalog.=) ANY (ARRAY['pending', 'failed', 'void'])
		OR p.state OPERATOR(pg_catalog.=) 'running' AND NOT EXISTS (
			SELECT FROM pg_catalog.pg_stat_get_activity(CASE WHEN p.claimed_by OPERATOR(pg_catalog.=) '' THEN p.pid ELSE p.claimed_pid END) AS a
			WHERE a.backend_start IS NULL
				OR pg_catalog.round(pg_catalog.date_part('epoch', a.backend_start) OPERATOR(pg_catalog.*) 1000000::double precision)::bigint
					OPERATOR(pg_catalog.=) CASE WHEN p.claimed_by OPERATOR(pg_catalog.=) '' THEN p.backend_start ELSE p.claimed_start END))
RETURNING p.id
