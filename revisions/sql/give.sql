-- Gives statements to a revision, whatever they belonged to. $3 is the revision, $4 a JSON array of their ids.
WITH given AS (
	UPDATE pgsluice.statements AS s
	SET revision_id = $3::bigint
	WHERE s.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND s.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND s.id OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT i::bigint FROM pg_catalog.json_array_elements_text($4::pg_catalog.json) AS i))
	RETURNING s.started, s.finished
)
UPDATE pgsluice.revisions AS r
SET started = LEAST(r.started, (SELECT pg_catalog.min(g.started) FROM given AS g)),
	finished = GREATEST(r.finished, (SELECT pg_catalog.max(g.finished) FROM given AS g))
WHERE r.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND r.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND r.id OPERATOR(pg_catalog.=) $3::bigint
