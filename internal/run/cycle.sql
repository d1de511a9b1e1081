-- Who will never end before this session does: those in its way, by their virtual transaction ids ($1), and those who have a lock of SHARE UPDATE
-- EXCLUSIVE on the tables $2, as concurrent builds do, if they wait for this session, or for somebody who does. $3 is the class of the maintenance locks.
WITH RECURSIVE locks AS MATERIALIZED (
	SELECT l.*, l.database OPERATOR(pg_catalog.=) d.oid AS here
	FROM pg_catalog.pg_locks AS l
	JOIN pg_catalog.pg_database AS d ON d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
	WHERE l.pid IS NOT NULL
), met AS (
	SELECT DISTINCT l.pid FROM locks AS l
	WHERE l.granted AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid() AND (
		l.locktype OPERATOR(pg_catalog.=) 'virtualxid' AND l.virtualtransaction OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
		OR l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.here AND l.relation OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.oid[])
		AND l.mode OPERATOR(pg_catalog.=) 'ShareUpdateExclusiveLock')
), chain (pid, first, depth) AS (
	SELECT m.pid, m.pid, 0 FROM met AS m
	UNION
	SELECT u.pid, c.first, c.depth OPERATOR(pg_catalog.+) 1
	FROM chain AS c CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(c.pid)) AS u(pid)
	WHERE c.depth OPERATOR(pg_catalog.<) 4 AND c.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
	AND EXISTS (SELECT FROM locks AS l WHERE l.pid OPERATOR(pg_catalog.=) c.pid AND NOT l.granted)
)
SELECT pg_catalog.json_build_object(
	'pid', f.first,
	'user', a.usename,
	'state', a.state,
	'transaction', (SELECT l.virtualtransaction FROM locks AS l
		WHERE l.pid OPERATOR(pg_catalog.=) f.first AND l.locktype OPERATOR(pg_catalog.=) 'virtualxid' LIMIT 1),
	'seconds', pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start),
	'maintenance', EXISTS (SELECT FROM locks AS l WHERE l.pid OPERATOR(pg_catalog.=) f.first
		AND l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted AND l.here AND l.classid OPERATOR(pg_catalog.=) $3::pg_catalog.oid
		AND l.objid OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.oid[]) AND l.objsubid OPERATOR(pg_catalog.=) 2))
FROM (SELECT DISTINCT c.first FROM chain AS c WHERE c.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()) AS f
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) f.first
ORDER BY f.first
