-- What the backend $1 waits for, who is in its way, and who is in theirs. Reading all locks once is cheaper than asking for each session.
WITH RECURSIVE locks AS MATERIALIZED (
	-- waitstart is there from 14 on
	SELECT l.*, (pg_catalog.to_jsonb(l) OPERATOR(pg_catalog.->>) 'waitstart')::pg_catalog.timestamptz AS since
	FROM pg_catalog.pg_locks AS l
), waiting AS (
	SELECT l.pid, l.database, l.relation, l.mode, l.since, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
	FROM locks AS l
	JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) l.relation
	JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	WHERE l.pid OPERATOR(pg_catalog.=) $1::pg_catalog.int4 AND NOT l.granted
	AND l.database OPERATOR(pg_catalog.=) (
		SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
	LIMIT 1
), chain (pid, behind, depth) AS (
	SELECT DISTINCT u.pid, 0, 0 FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::pg_catalog.int4)) AS u(pid)
	UNION
	SELECT u.pid, c.pid, c.depth OPERATOR(pg_catalog.+) 1
	FROM chain AS c CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(c.pid)) AS u(pid)
	WHERE c.depth OPERATOR(pg_catalog.<) 4 AND u.pid OPERATOR(pg_catalog.<>) $1::pg_catalog.int4
	AND EXISTS (SELECT FROM locks AS l WHERE l.pid OPERATOR(pg_catalog.=) c.pid AND NOT l.granted)
), met AS (
	SELECT DISTINCT ON (c.pid) c.pid, c.behind, c.depth FROM chain AS c ORDER BY c.pid, c.depth, c.behind
), prepared AS (
	SELECT DISTINCT p.gid, p.owner, p.prepared, l.mode
	FROM pg_catalog.pg_prepared_xacts AS p
	-- Until a restart its locks have the virtual transaction id that it had, afterwards another one; always the lock of its own id is among them.
	JOIN locks AS x ON x.pid IS NULL AND x.transactionid OPERATOR(pg_catalog.=) p.transaction AND x.locktype OPERATOR(pg_catalog.=) 'transactionid'
	JOIN locks AS l ON l.pid IS NULL AND l.virtualtransaction OPERATOR(pg_catalog.=) x.virtualtransaction
	JOIN waiting AS w ON w.database OPERATOR(pg_catalog.=) l.database AND w.relation OPERATOR(pg_catalog.=) l.relation
)
SELECT pg_catalog.json_build_object(
	'Relation', (SELECT w.name FROM waiting AS w),
	'Mode', (SELECT w.mode FROM waiting AS w),
	-- Those who came later wait for us; when they came is not known before 14.
	'Queue', (SELECT pg_catalog.count(*) FROM locks AS q JOIN waiting AS w ON q.database OPERATOR(pg_catalog.=) w.database
		AND q.relation OPERATOR(pg_catalog.=) w.relation AND q.pid OPERATOR(pg_catalog.<>) w.pid
		WHERE NOT q.granted AND NOT COALESCE(q.since OPERATOR(pg_catalog.<) w.since, false)),
	'Queued', (SELECT COALESCE(pg_catalog.max(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) q.since)), 0)
		FROM locks AS q JOIN waiting AS w ON q.database OPERATOR(pg_catalog.=) w.database
		AND q.relation OPERATOR(pg_catalog.=) w.relation AND q.pid OPERATOR(pg_catalog.<>) w.pid
		WHERE NOT q.granted AND q.since OPERATOR(pg_catalog.>=) w.since),
	'Blockers', COALESCE((
		SELECT pg_catalog.json_agg(b.found ORDER BY b.depth, b.seconds DESC NULLS LAST) FROM (
			SELECT m.depth, pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start) AS seconds,
				pg_catalog.json_build_object(
					'pid', m.pid,
					'behind', m.behind,
					'user', a.usename,
					'state', a.state,
					'transaction', (SELECT l.virtualtransaction FROM locks AS l
						WHERE l.pid OPERATOR(pg_catalog.=) m.pid AND l.locktype OPERATOR(pg_catalog.=) 'virtualxid' LIMIT 1),
					'seconds', pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start),
					'mode', (SELECT pg_catalog.string_agg(DISTINCT l.mode, ', ') FROM locks AS l JOIN waiting AS w
						ON w.database OPERATOR(pg_catalog.=) l.database AND w.relation OPERATOR(pg_catalog.=) l.relation
						WHERE l.pid OPERATOR(pg_catalog.=) m.pid),
					'autovacuum', COALESCE(a.backend_type OPERATOR(pg_catalog.=) 'autovacuum worker', false),
					'wraparound', COALESCE(pg_catalog.strpos(a.query, '(to prevent wraparound)') OPERATOR(pg_catalog.>) 0, false),
					'seen', pg_catalog.json_build_object('application', a.application_name, 'address', pg_catalog.host(a.client_addr),
						'query', a.query)) AS found
			FROM met AS m
			LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) m.pid
			WHERE m.pid OPERATOR(pg_catalog.<>) 0 OR NOT EXISTS (SELECT FROM prepared)
			UNION ALL
			SELECT 0, pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) p.prepared), pg_catalog.json_build_object(
				'pid', 0, 'gid', p.gid, 'user', p.owner, 'mode', p.mode,
				'seconds', pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) p.prepared))
			FROM prepared AS p
			WHERE EXISTS (SELECT FROM met AS m WHERE m.pid OPERATOR(pg_catalog.=) 0)
			LIMIT 100) AS b
	), '[]'))
