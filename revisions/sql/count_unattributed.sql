-- How many schema changes that took effect, or may have, belong to no revision.
SELECT pg_catalog.count(*)
FROM pgsluice.statements AS s
WHERE s.system_identifier OPERATOR(pg_catalog.=) $1::bigint
	AND s.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND s.revision_id IS NULL AND NOT s.own AND s.tool OPERATOR(pg_catalog.=) ''
	AND s.outcome OPERATOR(pg_catalog.<>) ALL (ARRAY['failed', 'refused', 'rolled back'])
