SELECT pg_catalog.json_build_object(
	'Relation', waiting.relation,
	'Mode', waiting.mode,
	'Queue', COALESCE(waiting.queue, 0),
	'Blockers', COALESCE((
		SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
			'pid', b.pid,
			'user', a.usename,
			'state', a.state,
			'transaction', (SELECT l.virtualtransaction FROM pg_catalog.pg_locks AS l
				WHERE l.pid OPERATOR(pg_catalog.=) b.pid AND l.locktype OPERATOR(pg_catalog.=) 'virtualxid' LIMIT 1),
			'seconds', pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start),
			'autovacuum', COALESCE(a.backend_type OPERATOR(pg_catalog.=) 'autovacuum worker', false),
			'wraparound', COALESCE(pg_catalog.strpos(a.query, '(to prevent wraparound)') OPERATOR(pg_catalog.>) 0, false)))
		FROM (SELECT DISTINCT u.pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::pg_catalog.int4)) AS u(pid)) AS b
		LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) b.pid
	), '[]'))
FROM (SELECT) AS always
LEFT JOIN (
	SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS relation, l.mode,
		(SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks AS q
			WHERE NOT q.granted AND q.pid OPERATOR(pg_catalog.<>) l.pid
			AND q.database OPERATOR(pg_catalog.=) l.database AND q.relation OPERATOR(pg_catalog.=) l.relation) AS queue
	FROM pg_catalog.pg_locks AS l
	JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) l.relation
	JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	WHERE l.pid OPERATOR(pg_catalog.=) $1::pg_catalog.int4 AND NOT l.granted
	AND l.database OPERATOR(pg_catalog.=) (
		SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
	LIMIT 1
) AS waiting ON true
