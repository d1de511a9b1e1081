-- Cancels the autovacuum worker $1, if it is one that the server itself would cancel for whoever waits longer than deadlock_timeout, and still in the
-- transaction $2: of each table a worker has another one.
SELECT pg_catalog.pg_cancel_backend(a.pid)
FROM pg_catalog.pg_stat_activity AS a
WHERE a.pid OPERATOR(pg_catalog.=) $1::pg_catalog.int4 AND a.backend_type OPERATOR(pg_catalog.=) 'autovacuum worker'
AND pg_catalog.strpos(a.query, 'autovacuum:') OPERATOR(pg_catalog.=) 1
AND pg_catalog.strpos(a.query, '(to prevent wraparound)') OPERATOR(pg_catalog.=) 0
AND EXISTS (SELECT FROM pg_catalog.pg_locks AS l WHERE l.pid OPERATOR(pg_catalog.=) a.pid
	AND l.locktype OPERATOR(pg_catalog.=) 'virtualxid' AND l.virtualtransaction OPERATOR(pg_catalog.=) $2)
