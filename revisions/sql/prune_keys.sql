-- Deletes the keys that nothing needs any more: another database's, which a copy brought along, and retired ones whose
-- last promise is kept and last job done, unless a transaction may still be open that has used one.
DELETE FROM pgsluice.keys AS k
WHERE k.system_identifier OPERATOR(pg_catalog.<>) $1::bigint
	OR k.database_oid OPERATOR(pg_catalog.<>) $2::pg_catalog.oid
	OR k.retired IS NOT NULL
		AND NOT EXISTS (
			SELECT FROM pgsluice.promises AS p
			WHERE p.system_identifier OPERATOR(pg_catalog.=) k.system_identifier
				AND p.database_oid OPERATOR(pg_catalog.=) k.database_oid
				AND p.key_id OPERATOR(pg_catalog.=) k.id
				AND p.state OPERATOR(pg_catalog.=) ANY (ARRAY['pending', 'running', 'failed']))
		AND NOT EXISTS (
			SELECT FROM pgsluice.jobs AS j
			WHERE j.system_identifier OPERATOR(pg_catalog.=) k.system_identifier
				AND j.database_oid OPERATOR(pg_catalog.=) k.database_oid
				AND j.key_id OPERATOR(pg_catalog.=) k.id
				AND j.state OPERATOR(pg_catalog.=) ANY (ARRAY['running', 'stopped']))
		AND NOT EXISTS (
			SELECT FROM pg_catalog.pg_stat_activity AS a
			WHERE a.datid OPERATOR(pg_catalog.=) k.database_oid
				-- The old key was good until the rotation had committed.
				AND a.xact_start OPERATOR(pg_catalog.<=) (k.retired OPERATOR(pg_catalog.+) '1 minute'::pg_catalog.interval))
