-- The transactions that a concurrent build by the backend $1 on the table $2 would wait for, open for more than $3 seconds: those with a snapshot, and
-- those that write to the table. The server does not wait for VACUUM. Who waits for us would never end before us: that the build finds out.
SELECT pg_catalog.json_build_object(
	'pid', a.pid,
	'user', a.usename,
	'state', a.state,
	'transaction', x.virtualtransaction,
	'seconds', pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start),
	'mode', w.mode,
	'seen', pg_catalog.json_build_object('application', a.application_name, 'address', pg_catalog.host(a.client_addr), 'query', a.query))
FROM pg_catalog.pg_stat_activity AS a
JOIN pg_catalog.pg_locks AS x ON x.pid OPERATOR(pg_catalog.=) a.pid AND x.locktype OPERATOR(pg_catalog.=) 'virtualxid' AND x.granted
	AND x.virtualxid OPERATOR(pg_catalog.=) x.virtualtransaction
LEFT JOIN LATERAL (
	SELECT pg_catalog.min(l.mode) AS mode FROM pg_catalog.pg_locks AS l
	WHERE l.pid OPERATOR(pg_catalog.=) a.pid AND l.granted AND l.database OPERATOR(pg_catalog.=) a.datid
	AND l.relation OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND l.mode OPERATOR(pg_catalog.<>) ALL (ARRAY['AccessShareLock', 'RowShareLock']::pg_catalog.text[])) AS w ON true
WHERE a.pid OPERATOR(pg_catalog.<>) ALL (ARRAY[$1::pg_catalog.int4, pg_catalog.pg_backend_pid()])
AND a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
AND a.xact_start OPERATOR(pg_catalog.<) (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)
	pg_catalog.make_interval(secs => $3::pg_catalog.float8))
AND (a.backend_xmin IS NOT NULL OR w.mode IS NOT NULL)
AND a.backend_type OPERATOR(pg_catalog.<>) 'autovacuum worker'
AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum AS v WHERE v.pid OPERATOR(pg_catalog.=) a.pid)
AND NOT $1::pg_catalog.int4 OPERATOR(pg_catalog.=) ANY (CASE WHEN a.wait_event_type OPERATOR(pg_catalog.=) 'Lock'
	THEN pg_catalog.pg_blocking_pids(a.pid) ELSE '{}' END)
UNION ALL
SELECT pg_catalog.json_build_object('pid', 0, 'gid', p.gid, 'user', p.owner, 'transaction', l.virtualtransaction, 'mode', pg_catalog.min(l.mode),
	'seconds', pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) p.prepared))::pg_catalog.json
FROM pg_catalog.pg_prepared_xacts AS p
JOIN pg_catalog.pg_locks AS x ON x.pid IS NULL AND x.transactionid OPERATOR(pg_catalog.=) p.transaction
	AND x.locktype OPERATOR(pg_catalog.=) 'transactionid'
JOIN pg_catalog.pg_locks AS l ON l.pid IS NULL AND l.virtualtransaction OPERATOR(pg_catalog.=) x.virtualtransaction
WHERE p.database OPERATOR(pg_catalog.=) pg_catalog.current_database() AND l.relation OPERATOR(pg_catalog.=) $2::pg_catalog.oid
AND l.mode OPERATOR(pg_catalog.<>) ALL (ARRAY['AccessShareLock', 'RowShareLock']::pg_catalog.text[])
GROUP BY p.gid, p.owner, p.prepared, l.virtualtransaction
