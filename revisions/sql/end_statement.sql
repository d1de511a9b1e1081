-- Writes down what became of a statement.
WITH quick AS MATERIALIZED (
	SELECT pg_catalog.set_config('synchronous_commit', 'off', true) AS setting
)
UPDATE pgsluice.statements AS s
SET outcome = j OPERATOR(pg_catalog.->>) 'outcome',
	role = j OPERATOR(pg_catalog.->>) 'role',
	verdict = j OPERATOR(pg_catalog.->>) 'verdict',
	rules = ARRAY(SELECT r FROM pg_catalog.json_array_elements_text(j OPERATOR(pg_catalog.->) 'rules') AS r),
	ran = j OPERATOR(pg_catalog.->) 'ran',
	tries = (j OPERATOR(pg_catalog.->>) 'tries')::integer,
	waited_ms = (j OPERATOR(pg_catalog.->>) 'waited_ms')::bigint,
	rows = (j OPERATOR(pg_catalog.->>) 'rows')::bigint,
	promise_id = (j OPERATOR(pg_catalog.->>) 'promise_id')::bigint,
	sqlstate = j OPERATOR(pg_catalog.->>) 'sqlstate',
	error = j OPERATOR(pg_catalog.->>) 'error',
	xid = CASE WHEN (j OPERATOR(pg_catalog.->>) 'xid') OPERATOR(pg_catalog.<>) '0' THEN (j OPERATOR(pg_catalog.->>) 'xid')::pg_catalog.xid8 END,
	attested = (j OPERATOR(pg_catalog.->>) 'attested')::boolean,
	finished = pg_catalog.clock_timestamp()
FROM quick, (SELECT $3::pg_catalog.json AS j) AS given
WHERE quick.setting IS NOT NULL
	AND s.system_identifier OPERATOR(pg_catalog.=) $1::bigint
	AND s.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND s.id OPERATOR(pg_catalog.=) (j OPERATOR(pg_catalog.->>) 'id')::bigint
