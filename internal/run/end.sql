-- Cancels the backend $2, or terminates it if $5, for the sake of the backend $1, if it is still in the transaction $3 and may be ended at all. Never: a
-- superuser, replication, any worker, another session of the same tool (by the same name, which it has to say, from the same place), one that works for a
-- plan itself or has the turn to migrate ($4 is the class of those locks), or a transaction that may have written much: nobody can tell how much, but in
-- 5 s it is not much.
SELECT CASE WHEN $5::pg_catalog.bool THEN pg_catalog.pg_terminate_backend(a.pid) ELSE pg_catalog.pg_cancel_backend(a.pid) END
FROM pg_catalog.pg_stat_activity AS a
JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) a.usesysid
CROSS JOIN pg_catalog.pg_stat_activity AS ours
WHERE a.pid OPERATOR(pg_catalog.=) $2::pg_catalog.int4 AND ours.pid OPERATOR(pg_catalog.=) $1::pg_catalog.int4
AND a.pid OPERATOR(pg_catalog.<>) ours.pid
AND a.backend_type OPERATOR(pg_catalog.=) 'client backend'
AND NOT r.rolsuper AND NOT r.rolreplication
AND (a.usesysid OPERATOR(pg_catalog.<>) ours.usesysid OR a.application_name OPERATOR(pg_catalog.<>) ours.application_name
	OR a.application_name OPERATOR(pg_catalog.=) ''
	OR COALESCE(pg_catalog.host(a.client_addr), '') OPERATOR(pg_catalog.<>) COALESCE(pg_catalog.host(ours.client_addr), ''))
AND (a.backend_xid IS NULL OR a.xact_start OPERATOR(pg_catalog.>) (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) '5 s'::pg_catalog.interval))
AND EXISTS (SELECT FROM pg_catalog.pg_locks AS l WHERE l.pid OPERATOR(pg_catalog.=) a.pid
	AND l.locktype OPERATOR(pg_catalog.=) 'virtualxid' AND l.virtualtransaction OPERATOR(pg_catalog.=) $3)
AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks AS l WHERE l.pid OPERATOR(pg_catalog.=) a.pid
	AND l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.classid OPERATOR(pg_catalog.=) $4::pg_catalog.oid)
