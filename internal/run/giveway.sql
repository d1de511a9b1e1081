-- Cancels the autovacuum worker $1, if it is one that the server itself would cancel for whoever waits longer than deadlock_timeout.
SELECT pg_catalog.pg_cancel_backend(a.pid)
FROM pg_catalog.pg_stat_activity AS a
WHERE a.pid OPERATOR(pg_catalog.=) $1::pg_catalog.int4 AND a.backend_type OPERATOR(pg_catalog.=) 'autovacuum worker'
AND pg_catalog.strpos(a.query, 'autovacuum:') OPERATOR(pg_catalog.=) 1
AND pg_catalog.strpos(a.query, '(to prevent wraparound)') OPERATOR(pg_catalog.=) 0
