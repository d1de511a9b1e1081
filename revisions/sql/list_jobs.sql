-- $3 is a JSON array of states, $4 an id or 0 for all.
WITH chosen AS (
	SELECT j.*
	FROM pgsluice.jobs AS j
	WHERE j.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND j.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND j.state OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT pg_catalog.json_array_elements_text($3::pg_catalog.json)))
		AND ($4::bigint OPERATOR(pg_catalog.=) 0 OR j.id OPERATOR(pg_catalog.=) $4::bigint)
)
