-- Of the phases only the scan and the validation have a length that is known; the waits name who is waited for.
SELECT pg_catalog.concat_ws(', ', p.phase,
	CASE
		WHEN p.blocks_total OPERATOR(pg_catalog.>) 0 THEN
			pg_catalog.concat(100::pg_catalog.int8 OPERATOR(pg_catalog.*) p.blocks_done OPERATOR(pg_catalog./) p.blocks_total, ' %')
		WHEN p.tuples_total OPERATOR(pg_catalog.>) 0 THEN
			pg_catalog.concat(100::pg_catalog.int8 OPERATOR(pg_catalog.*) p.tuples_done OPERATOR(pg_catalog./) p.tuples_total, ' %')
	END,
	CASE WHEN p.lockers_total OPERATOR(pg_catalog.>) p.lockers_done THEN
		pg_catalog.format('waits for pid %s%s%s', p.current_locker_pid, ' (' OPERATOR(pg_catalog.||) a.usename::pg_catalog.text
			OPERATOR(pg_catalog.||) ')', ', ' OPERATOR(pg_catalog.||) a.state)
	END)
FROM pg_catalog.pg_stat_progress_create_index AS p
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) p.current_locker_pid
WHERE p.pid OPERATOR(pg_catalog.=) $1::pg_catalog.int4
