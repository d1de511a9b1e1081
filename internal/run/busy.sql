-- $1 is the backend that does not count, $2 the table, $3 the class of the maintenance locks, $4 that of those who wait for the table between
-- the tries of a plan.
SELECT pg_catalog.json_build_object(
	'pid', COALESCE(l.pid, 0),
	'user', a.usename,
	'state', a.state,
	'seconds', pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start),
	'mode', l.mode,
	'maintenance', l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.classid OPERATOR(pg_catalog.=) $3::pg_catalog.oid)
FROM pg_catalog.pg_locks AS l
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid
WHERE l.database OPERATOR(pg_catalog.=) (
	SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
AND (l.pid IS NULL OR l.pid OPERATOR(pg_catalog.<>) $1::pg_catalog.int4)
AND (
	l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.relation OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND l.mode OPERATOR(pg_catalog.=) ANY (ARRAY['ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock',
		'ExclusiveLock', 'AccessExclusiveLock']::pg_catalog.text[])
	OR l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted AND l.classid OPERATOR(pg_catalog.=) ANY (ARRAY[$3, $4]::pg_catalog.oid[])
	AND l.objid OPERATOR(pg_catalog.=) $2::pg_catalog.oid AND l.objsubid OPERATOR(pg_catalog.=) 2)
-- Autovacuum ends for whoever waits longer than deadlock_timeout, unless it prevents wraparound. Whose backend type may not
-- be read is a worker if it has a database and no user.
AND NOT (
	COALESCE(a.backend_type OPERATOR(pg_catalog.=) 'autovacuum worker', a.datid IS NOT NULL AND a.usesysid IS NULL)
	AND COALESCE(pg_catalog.strpos(a.query, '(to prevent wraparound)') OPERATOR(pg_catalog.=) 0, true))
ORDER BY l.granted DESC, l.pid
