-- Revisions, newest first, one JSON object each. $3 is {"id", "tool", "revision", "direction", "state", "since", "limit"}: '' and 0 are any.
WITH wanted AS (
	SELECT j OPERATOR(pg_catalog.->>) 'tool' AS tool, j OPERATOR(pg_catalog.->>) 'revision' AS revision,
		j OPERATOR(pg_catalog.->>) 'direction' AS direction, j OPERATOR(pg_catalog.->>) 'state' AS state,
		CASE WHEN (j OPERATOR(pg_catalog.->>) 'since') OPERATOR(pg_catalog.<>) '' THEN (j OPERATOR(pg_catalog.->>) 'since')::timestamp with time zone END AS since,
		(j OPERATOR(pg_catalog.->>) 'id')::bigint AS id, CASE WHEN (j OPERATOR(pg_catalog.->>) 'limit') OPERATOR(pg_catalog.<>) '0' THEN (j OPERATOR(pg_catalog.->>) 'limit')::bigint END AS most
	FROM (SELECT $3::pg_catalog.json AS j) AS one
), known AS (
	SELECT r.*, w.asked AS wrote,
		CASE
			WHEN r.state OPERATOR(pg_catalog.<>) 'told' THEN r.state
			WHEN w.outcome OPERATOR(pg_catalog.=) 'committed' THEN 'applied'
			ELSE w.outcome
		END AS now,
		(SELECT pg_catalog.json_build_object(
			'statements', pg_catalog.count(*),
			'waited_ms', COALESCE(pg_catalog.sum(s.waited_ms), 0),
			'verdicts', COALESCE(pg_catalog.array_agg(s.verdict ORDER BY s.id), '{}'),
			'outcomes', COALESCE(pg_catalog.array_agg(s.outcome ORDER BY s.id), '{}'),
			'checksum', COALESCE(pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.string_agg(s.digest, ',' ORDER BY s.id)
				FILTER (WHERE s.outcome OPERATOR(pg_catalog.<>) ALL (ARRAY['rolled back', 'failed', 'refused'])), 'UTF8')), 'hex'), ''))
		FROM pgsluice.statements AS s
		WHERE s.system_identifier OPERATOR(pg_catalog.=) r.system_identifier AND s.database_oid OPERATOR(pg_catalog.=) r.database_oid
			AND s.revision_id OPERATOR(pg_catalog.=) r.id AND s.tool OPERATOR(pg_catalog.=) '') AS work
	FROM pgsluice.revisions AS r
	LEFT JOIN pgsluice.statements AS w
		ON w.system_identifier OPERATOR(pg_catalog.=) r.system_identifier AND w.database_oid OPERATOR(pg_catalog.=) r.database_oid
		AND w.id OPERATOR(pg_catalog.=) r.statement_id
	WHERE r.system_identifier OPERATOR(pg_catalog.=) $1::bigint
		AND r.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND r.state OPERATOR(pg_catalog.<>) 'unsaid'
)
SELECT pg_catalog.json_build_object(
	'id', k.id, 'tool', k.tool, 'version_table', k.version_table, 'revision', k.revision, 'previous', k.previous,
	'direction', k.direction, 'state', COALESCE(k.now, 'lost'), 'session', k.session, 'pid', k.pid, 'login', k.login, 'client', k.client,
	'application_name', k.application, 'started', k.started, 'finished', k.finished, 'work', k.work)
FROM known AS k, wanted AS w
WHERE (w.id OPERATOR(pg_catalog.=) 0 OR w.id OPERATOR(pg_catalog.=) k.id)
	AND (w.tool OPERATOR(pg_catalog.=) '' OR w.tool OPERATOR(pg_catalog.=) k.tool)
	AND (w.revision OPERATOR(pg_catalog.=) '' OR w.revision OPERATOR(pg_catalog.=) k.revision)
	AND (w.direction OPERATOR(pg_catalog.=) '' OR w.direction OPERATOR(pg_catalog.=) k.direction)
	AND (w.state OPERATOR(pg_catalog.=) '' OR w.state OPERATOR(pg_catalog.=) COALESCE(k.now, 'lost'))
	AND (w.since IS NULL OR k.started OPERATOR(pg_catalog.>=) w.since)
ORDER BY k.id DESC
LIMIT (SELECT most FROM wanted)
