-- Writes down that a statement is about to run. It does not wait for the disk: a commit that must not come before it flushes it, too.
WITH quick AS MATERIALIZED (
	SELECT pg_catalog.set_config('synchronous_commit', 'off', true) AS setting
)
INSERT INTO pgsluice.statements (system_identifier, database_oid, session, pid, login, role, client, application, tool, own, tag, asked, digest,
	fingerprint, verdict, rules, overrides, locks, revision_id, outcome, started)
SELECT $1::bigint, $2::pg_catalog.oid, j.session, j.pid, j.login, j.role, j.client, j.application_name, j.tool, j.own, j.tag, j.asked, j.digest,
	j.fingerprint, j.verdict, j.rules, j.overrides, j.locks,
	CASE WHEN j.revision_id OPERATOR(pg_catalog.<>) 0::bigint THEN j.revision_id END, 'begun',
	pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) (COALESCE(j.late_us, 0) OPERATOR(pg_catalog.*) '1 microsecond'::pg_catalog.interval)
FROM quick, pg_catalog.json_to_record($3::pg_catalog.json) AS j(session pg_catalog.text, pid integer, login pg_catalog.text, role pg_catalog.text,
	client pg_catalog.text, application_name pg_catalog.text, tool pg_catalog.text, own boolean, tag pg_catalog.text, asked pg_catalog.text,
	digest pg_catalog.text, fingerprint pg_catalog.text, verdict pg_catalog.text, rules pg_catalog.text[], overrides pg_catalog.json,
	locks pg_catalog.json, revision_id bigint, late_us bigint)
WHERE quick.setting IS NOT NULL
RETURNING id
