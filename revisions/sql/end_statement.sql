-- Writes down what became of a statement.
-- $3 is what, $4 its id: the planner takes it for the key that it is, which it does not where it is read from the JSON.
WITH quick AS MATERIALIZED (
	SELECT pg_catalog.set_config('synchronous_commit', 'off', true) AS setting
)
UPDATE pgsluice.statements AS s
SET outcome = j.outcome,
	role = j.role,
	verdict = j.verdict,
	rules = j.rules,
	ran = j.ran,
	tries = j.tries,
	waited_ms = j.waited_ms,
	rows = j.rows,
	promise_id = j.promise_id,
	sqlstate = j.sqlstate,
	error = j.error,
	xid = CASE WHEN j.xid OPERATOR(pg_catalog.<>) '0' THEN j.xid::pg_catalog.xid8 END,
	attested = j.attested,
	finished = pg_catalog.clock_timestamp()
FROM quick, pg_catalog.json_to_record($3::pg_catalog.json) AS j(outcome pg_catalog.text, role pg_catalog.text, verdict pg_catalog.text,
	rules pg_catalog.text[], ran pg_catalog.json, tries integer, waited_ms bigint, rows bigint, promise_id bigint, sqlstate pg_catalog.text,
	error pg_catalog.text, xid pg_catalog.text, attested boolean)
WHERE quick.setting IS NOT NULL
	AND s.system_identifier OPERATOR(pg_catalog.=) $1::bigint
	AND s.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND s.id OPERATOR(pg_catalog.=) $4::bigint
