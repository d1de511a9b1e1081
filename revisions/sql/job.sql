-- The jobs of the CTE "chosen", one JSON object each.
SELECT pg_catalog.json_build_object(
	'home', pg_catalog.json_build_object('system_identifier', j.system_identifier, 'database_oid', j.database_oid),
	'id', j.id,
	'login', pg_catalog.json_build_object('oid', j.login::bigint, 'name', pg_catalog.pg_get_userbyid(j.login)),
	'role', pg_catalog.json_build_object('oid', j.role::bigint, 'name', pg_catalog.pg_get_userbyid(j.role)),
	'table', j.table_oid::bigint,
	'table_name', COALESCE((
		SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
		FROM pg_catalog.pg_class AS c
		JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
		WHERE c.oid OPERATOR(pg_catalog.=) j.table_oid), ''),
	'fingerprint', j.fingerprint,
	'engine', j.engine,
	'tag', j.tag,
	-- As text: its bytes are signed, and it is written as JSON already.
	'content', j.content::pg_catalog.text,
	'key', j.key_id,
	'mac', j.mac,
	'state', j.state,
	'wanted', j.wanted,
	'target_time', j.target_time,
	'nice_ratio', j.nice_ratio,
	'reason', j.reason,
	'sqlstate', j.sqlstate,
	'message', j.message,
	'runner', j.runner,
	'pid', j.pid,
	'backend_start', j.backend_start,
	-- A backend whose start we may not see counts as alive.
	'alive', EXISTS (
		SELECT FROM pg_catalog.pg_stat_get_activity(j.pid) AS a
		WHERE a.backend_start IS NULL
			OR pg_catalog.round(pg_catalog.date_part('epoch', a.backend_start) OPERATOR(pg_catalog.*) 1000000::double precision)::bigint
				OPERATOR(pg_catalog.=) j.backend_start),
	'heartbeat', GREATEST(j.heartbeat, t.updated),
	'created', j.created,
	'started', j.started,
	'finished', j.finished,
	'checkpoints', COALESCE(t.checkpoints, '[]'::pg_catalog.json))
FROM chosen AS j
LEFT JOIN LATERAL (
	SELECT pg_catalog.max(c.updated) AS updated, pg_catalog.json_agg(pg_catalog.json_build_object('table', c.table_oid::bigint,
		'position', c.position, 'changed', c.changed, 'passed', c.passed, 'batches', c.batches, 'finished', c.finished)) AS checkpoints
	FROM pgsluice.checkpoints AS c
	WHERE c.system_identifier OPERATOR(pg_catalog.=) j.system_identifier
		AND c.database_oid OPERATOR(pg_catalog.=) j.database_oid
		AND c.job OPERATOR(pg_catalog.=) j.id) AS t ON true
ORDER BY j.id
