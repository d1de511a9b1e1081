-- The promises of the CTE "chosen", one JSON object each.
SELECT pg_catalog.json_build_object(
	'home', pg_catalog.json_build_object('system_identifier', p.system_identifier, 'database_oid', p.database_oid),
	'id', p.id,
	'xid', p.xid::pg_catalog.text::bigint,
	'seq', p.seq,
	'login', pg_catalog.json_build_object('oid', p.login::bigint, 'name', pg_catalog.pg_get_userbyid(p.login)),
	'role', pg_catalog.json_build_object('oid', p.role::bigint, 'name', pg_catalog.pg_get_userbyid(p.role)),
	'pid', p.pid,
	'backend_start', p.backend_start,
	'kind', p.kind,
	'tag', p.tag,
	'table', p.table_oid::bigint,
	'table_name', COALESCE((
		SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
		FROM pg_catalog.pg_class AS c
		JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
		WHERE c.oid OPERATOR(pg_catalog.=) p.table_oid), ''),
	-- As text: its bytes are signed, and it is written as JSON already.
	'payload', p.payload::pg_catalog.text,
	'key', p.key_id,
	'mac', p.mac,
	'state', p.state,
	'attempts', p.attempts,
	'sqlstate', p.sqlstate,
	'message', p.message,
	'released', p.released,
	-- The backend of who has claimed it, else of who wrote it. One whose start we may not see counts as alive.
	'alive', EXISTS (
		SELECT FROM pg_catalog.pg_stat_get_activity(CASE WHEN p.claimed_by OPERATOR(pg_catalog.=) '' THEN p.pid ELSE p.claimed_pid END) AS a
		WHERE a.backend_start IS NULL
			OR pg_catalog.round(pg_catalog.date_part('epoch', a.backend_start) OPERATOR(pg_catalog.*) 1000000::double precision)::bigint
				OPERATOR(pg_catalog.=) CASE WHEN p.claimed_by OPERATOR(pg_catalog.=) '' THEN p.backend_start ELSE p.claimed_start END),
	'building', CASE WHEN p.state OPERATOR(pg_catalog.=) 'running' THEN (
		SELECT pg_catalog.json_build_object('phase', b.phase, 'done', CASE
			WHEN b.blocks_total OPERATOR(pg_catalog.>) 0 THEN b.blocks_done::double precision OPERATOR(pg_catalog./) b.blocks_total::double precision
			WHEN b.tuples_total OPERATOR(pg_catalog.>) 0 THEN b.tuples_done::double precision OPERATOR(pg_catalog./) b.tuples_total::double precision END)
		FROM pg_catalog.pg_stat_progress_create_index AS b
		WHERE b.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND b.relid OPERATOR(pg_catalog.=) p.table_oid
		LIMIT 1) END,
	'not_before', p.not_before,
	'claimed_by', p.claimed_by,
	'heartbeat', p.heartbeat,
	'created', p.created,
	'started', p.started,
	'finished', p.finished)
FROM chosen AS p
ORDER BY p.id
