-- A revision that was begun and never ended has failed when its session is gone: $3 is a session that has ended.
UPDATE pgsluice.revisions AS r
SET state = 'failed'
WHERE r.system_identifier OPERATOR(pg_catalog.=) $1::bigint
	AND r.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND r.state OPERATOR(pg_catalog.=) 'running'
	AND (r.session OPERATOR(pg_catalog.=) $3::pg_catalog.text OR NOT EXISTS (
		SELECT FROM pg_catalog.pg_stat_get_activity(r.pid) AS a
		WHERE COALESCE(a.backend_start OPERATOR(pg_catalog.<=) r.started, true)))
