-- How the server is, for the job of the backend $1 on the tables $2, one JSON object. What this login may not see is null; lists of what is
-- there have a row with null for it.
SELECT pg_catalog.json_build_object(
	'wal', CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL
		ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0') END,
	'replicas', COALESCE((
		SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
			'name', pg_catalog.concat_ws(' ', NULLIF(r.application_name, ''), pg_catalog.host(r.client_addr)),
			'state', r.state,
			'seconds', pg_catalog.date_part('epoch', r.replay_lag),
			'bytes', pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), r.replay_lsn)))
		FROM pg_catalog.pg_stat_replication AS r
		-- A base backup replays nothing, and the first copy of a logical table ends by itself.
		WHERE r.state IS NULL OR r.state OPERATOR(pg_catalog.<>) 'backup' AND r.application_name OPERATOR(pg_catalog.!~~) 'pg\_%\_sync\_%'),
		'[]'::pg_catalog.json),
	'slots', COALESCE((
		SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
			'name', s.slot_name, 'status', s.wal_status,
			'bytes', pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn)))
		FROM pg_catalog.pg_replication_slots AS s
		WHERE s.restart_lsn IS NOT NULL),
		'[]'::pg_catalog.json),
	-- Megabytes; -1 is no limit.
	'slot_limit', (
		SELECT g.setting::pg_catalog.float8 OPERATOR(pg_catalog.*) 1048576::pg_catalog.float8
		FROM pg_catalog.pg_settings AS g WHERE g.name OPERATOR(pg_catalog.=) 'max_slot_wal_keep_size'),
	'waiters', COALESCE((
		SELECT pg_catalog.json_agg(DISTINCT l.pid)
		FROM pg_catalog.pg_locks AS l
		WHERE NOT l.granted AND l.relation OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.oid[]) AND l.pid OPERATOR(pg_catalog.<>) $1::pg_catalog.int4
		AND l.database OPERATOR(pg_catalog.=) (
			SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())),
		'[]'::pg_catalog.json),
	-- A login that may not see the others' states sees null for all but its own.
	'active', (
		SELECT CASE WHEN pg_catalog.bool_or(a.state IS NULL AND a.backend_type OPERATOR(pg_catalog.=) 'client backend')
				OR pg_catalog.bool_or(a.backend_type IS NULL) THEN NULL
			ELSE pg_catalog.count(*) FILTER (WHERE a.state OPERATOR(pg_catalog.=) 'active' AND a.backend_type OPERATOR(pg_catalog.=) 'client backend') END
		FROM pg_catalog.pg_stat_activity AS a
		WHERE a.pid OPERATOR(pg_catalog.<>) ALL (ARRAY[$1::pg_catalog.int4, pg_catalog.pg_backend_pid()])),
	-- Segments that are written and not archived; 0 where nothing is archived.
	'unarchived', CASE WHEN pg_catalog.current_setting('archive_mode') OPERATOR(pg_catalog.=) 'off' OR pg_catalog.pg_is_in_recovery() THEN 0
		ELSE (
			SELECT pg_catalog.floor(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0') OPERATOR(pg_catalog./) z.bytes)
				OPERATOR(pg_catalog.-) (
				('x' OPERATOR(pg_catalog.||) pg_catalog.substr(v.last_archived_wal, 9, 8))::pg_catalog.bit(32)::pg_catalog.int8::pg_catalog.numeric
					OPERATOR(pg_catalog.*) pg_catalog.floor(4294967296::pg_catalog.numeric OPERATOR(pg_catalog./) z.bytes)
					OPERATOR(pg_catalog.+) ('x' OPERATOR(pg_catalog.||) pg_catalog.substr(v.last_archived_wal, 17, 8))::pg_catalog.bit(32)::pg_catalog.int8::pg_catalog.numeric)
				OPERATOR(pg_catalog.-) 1::pg_catalog.numeric
			FROM pg_catalog.pg_stat_archiver AS v,
				LATERAL (SELECT g.setting::pg_catalog.numeric FROM pg_catalog.pg_settings AS g
					WHERE g.name OPERATOR(pg_catalog.=) 'wal_segment_size') AS z(bytes)
			WHERE v.last_archived_wal OPERATOR(pg_catalog.~) '^[0-9A-F]{24}') END,
	'vacuums', COALESCE((
		SELECT pg_catalog.json_agg(pg_catalog.json_build_object('pid', v.pid, 'table', v.relid::pg_catalog.int8))
		FROM pg_catalog.pg_stat_progress_vacuum AS v
		WHERE v.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
		AND (v.relid IS NULL OR v.relid OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.oid[]))),
		'[]'::pg_catalog.json))
