-- Of the phases only the scan and the validation have a length that is known; the waits name who is waited for.
SELECT pg_catalog.json_build_object(
	'phase', p.phase,
	'done', CASE
		WHEN p.blocks_total OPERATOR(pg_catalog.>) 0 THEN p.blocks_done::pg_catalog.float8 OPERATOR(pg_catalog./) p.blocks_total::pg_catalog.float8
		WHEN p.tuples_total OPERATOR(pg_catalog.>) 0 THEN p.tuples_done::pg_catalog.float8 OPERATOR(pg_catalog./) p.tuples_total::pg_catalog.float8
		WHEN p.lockers_total OPERATOR(pg_catalog.>) 0 THEN p.lockers_done::pg_catalog.float8 OPERATOR(pg_catalog./) p.lockers_total::pg_catalog.float8
	END,
	'waits', CASE WHEN p.lockers_total OPERATOR(pg_catalog.>) p.lockers_done THEN
		pg_catalog.format('%s of %s transactions waited for, now for pid %s%s%s', p.lockers_done, p.lockers_total, p.current_locker_pid,
			' (' OPERATOR(pg_catalog.||) a.usename::pg_catalog.text OPERATOR(pg_catalog.||) ')', ', ' OPERATOR(pg_catalog.||) a.state)
	END)
FROM pg_catalog.pg_stat_progress_create_index AS p
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) p.current_locker_pid
WHERE p.pid OPERATOR(pg_catalog.=) $1::pg_catalog.int4
