-- How many revisions there are by tool and by what became of each the last time, one JSON object each.
WITH newest AS (
	SELECT DISTINCT ON (r.tool, r.version_table, r.revision, r.row_key) r.tool, r.direction, r.state, r.statement_id
	FROM pgsluice.revisions AS r
	WHERE r.system_identifier OPERATOR(pg_catalog.=) $1::bigint
		AND r.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND r.state OPERATOR(pg_catalog.<>) 'unsaid'
	ORDER BY r.tool, r.version_table, r.revision, r.row_key, r.id DESC
), known AS (
	SELECT n.tool,
		CASE
			WHEN n.state OPERATOR(pg_catalog.<>) 'told' THEN n.state
			WHEN w.outcome OPERATOR(pg_catalog.<>) 'committed' THEN w.outcome
			WHEN w.outcome IS NULL THEN 'lost'
			WHEN n.direction OPERATOR(pg_catalog.=) 'down' THEN 'taken back'
			ELSE 'applied'
		END AS state
	FROM newest AS n
	LEFT JOIN pgsluice.statements AS w
		ON w.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND w.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND w.id OPERATOR(pg_catalog.=) n.statement_id
)
SELECT pg_catalog.json_build_object('tool', k.tool, 'state', k.state, 'count', pg_catalog.count(*))
FROM known AS k
GROUP BY k.tool, k.state
ORDER BY k.tool, k.state
