-- Cancels the concurrent build by the backend $1, if it waits for somebody who waits in turn for the lock of the table $2 that the build has, in the server or
-- between the tries of a plan: $3 is the class of the advisory locks that tell of that. Neither would ever get on.
WITH RECURSIVE locks AS MATERIALIZED (
	SELECT l.* FROM pg_catalog.pg_locks AS l
), chain (pid, depth) AS (
	SELECT u.pid, 0 FROM locks AS l CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(l.pid)) AS u(pid)
	WHERE l.pid OPERATOR(pg_catalog.=) $1::pg_catalog.int4 AND NOT l.granted AND l.locktype OPERATOR(pg_catalog.<>) 'relation'
	UNION
	SELECT u.pid, c.depth OPERATOR(pg_catalog.+) 1
	FROM chain AS c CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(c.pid)) AS u(pid)
	WHERE c.depth OPERATOR(pg_catalog.<) 4 AND c.pid OPERATOR(pg_catalog.<>) $1::pg_catalog.int4
	AND EXISTS (SELECT FROM locks AS l WHERE l.pid OPERATOR(pg_catalog.=) c.pid AND NOT l.granted)
)
SELECT pg_catalog.pg_cancel_backend($1::pg_catalog.int4)
WHERE EXISTS (
	SELECT FROM chain AS c JOIN locks AS l ON l.pid OPERATOR(pg_catalog.=) c.pid
	WHERE c.pid OPERATOR(pg_catalog.<>) $1::pg_catalog.int4
	AND l.database OPERATOR(pg_catalog.=) (
		SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
	AND (l.locktype OPERATOR(pg_catalog.=) 'relation' AND NOT l.granted AND l.relation OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND $1::pg_catalog.int4 OPERATOR(pg_catalog.=) ANY (pg_catalog.pg_blocking_pids(l.pid))
		OR l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted AND l.classid OPERATOR(pg_catalog.=) $3::pg_catalog.oid
		AND l.objid OPERATOR(pg_catalog.=) $2::pg_catalog.oid AND l.objsubid OPERATOR(pg_catalog.=) 2))
