-- Takes over the open job $3 for the runner $4 to $6, unless another backend that works on it lives. A backend whose start we may not see
-- counts as alive.
WITH chosen AS (
	UPDATE pgsluice.jobs AS j
	SET state = 'running', runner = $4::pg_catalog.text, pid = $5::integer, backend_start = $6::bigint,
		heartbeat = pg_catalog.clock_timestamp(), started = pg_catalog.clock_timestamp(), reason = '', sqlstate = '', message = ''
	WHERE j.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND j.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND j.id OPERATOR(pg_catalog.=) $3::bigint
		AND (j.state OPERATOR(pg_catalog.=) 'stopped'
			OR j.state OPERATOR(pg_catalog.=) 'running' AND (
				j.pid OPERATOR(pg_catalog.=) $5::integer AND j.backend_start OPERATOR(pg_catalog.=) $6::bigint
				OR NOT EXISTS (
					SELECT FROM pg_catalog.pg_stat_get_activity(j.pid) AS a
					WHERE a.backend_start IS NULL
						OR pg_catalog.round(pg_catalog.date_part('epoch', a.backend_start) OPERATOR(pg_catalog.*) 1000000::double precision)::bigint
							OPERATOR(pg_catalog.=) j.backend_start)))
	RETURNING j.*
)
