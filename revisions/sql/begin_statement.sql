-- Writes down that a statement is about to run. It does not wait for the disk: a commit that must not come before it flushes it, too.
WITH quick AS MATERIALIZED (
	SELECT pg_catalog.set_config('synchronous_commit', 'off', true) AS setting
)
INSERT INTO pgsluice.statements (system_identifier, database_oid, session, pid, login, role, client, application, tool, own, tag, asked, digest,
	fingerprint, verdict, rules, overrides, locks, revision_id, outcome)
SELECT $1::bigint, $2::pg_catalog.oid, j OPERATOR(pg_catalog.->>) 'session', (j OPERATOR(pg_catalog.->>) 'pid')::integer,
	j OPERATOR(pg_catalog.->>) 'login', j OPERATOR(pg_catalog.->>) 'role', j OPERATOR(pg_catalog.->>) 'client',
	j OPERATOR(pg_catalog.->>) 'application_name', j OPERATOR(pg_catalog.->>) 'tool', (j OPERATOR(pg_catalog.->>) 'own')::boolean,
	j OPERATOR(pg_catalog.->>) 'tag', j OPERATOR(pg_catalog.->>) 'asked', j OPERATOR(pg_catalog.->>) 'digest',
	j OPERATOR(pg_catalog.->>) 'fingerprint', j OPERATOR(pg_catalog.->>) 'verdict',
	ARRAY(SELECT r FROM pg_catalog.json_array_elements_text(j OPERATOR(pg_catalog.->) 'rules') AS r),
	j OPERATOR(pg_catalog.->) 'overrides', j OPERATOR(pg_catalog.->) 'locks',
	CASE WHEN (j OPERATOR(pg_catalog.->>) 'revision_id') OPERATOR(pg_catalog.<>) '0' THEN (j OPERATOR(pg_catalog.->>) 'revision_id')::bigint END, 'begun'
FROM quick, (SELECT $3::pg_catalog.json AS j) AS given
WHERE quick.setting IS NOT NULL
RETURNING id
