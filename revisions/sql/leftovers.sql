-- The artifacts whose maker has ended. A backend whose start we may not see counts as alive; a maker whose start is not
-- known (0) lives if the backend is older than the row.
SELECT pg_catalog.json_build_object(
	'id', f.id,
	'kind', f.kind,
	'schema', f.schema_name,
	'name', f.name,
	'table', f.table_oid::bigint,
	'promise', f.promise_id,
	'pid', f.pid,
	'backend_start', f.backend_start,
	'created', f.created)
FROM pgsluice.artifacts AS f
WHERE f.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND f.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND NOT EXISTS (
		SELECT FROM pg_catalog.pg_stat_get_activity(f.pid) AS a
		WHERE a.backend_start IS NULL
			OR f.backend_start OPERATOR(pg_catalog.=) 0 AND a.backend_start OPERATOR(pg_catalog.<=) f.created
			OR pg_catalog.round(pg_catalog.date_part('epoch', a.backend_start) OPERATOR(pg_catalog.*) 1000000::double precision)::bigint
				OPERATOR(pg_catalog.=) f.backend_start)
ORDER BY f.id
