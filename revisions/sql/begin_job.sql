-- $3: id; $4: login; $5: role; $6: table; $7: fingerprint; $8: engine; $9: tag; $10: content; $11: key; $12: mac; $13 to $15: the runner;
-- $16: how many a login may leave unfinished.
INSERT INTO pgsluice.jobs (system_identifier, database_oid, id, login, role, table_oid, fingerprint, engine, tag, content, key_id, mac,
	runner, pid, backend_start)
SELECT $1::bigint, $2::pg_catalog.oid, $3::bigint, $4::pg_catalog.oid, $5::pg_catalog.oid, $6::pg_catalog.oid, $7::pg_catalog.text, $8::integer,
	$9::pg_catalog.text, $10::pg_catalog.json, $11::integer, $12::pg_catalog.text, $13::pg_catalog.text, $14::integer, $15::bigint
WHERE (
	SELECT pg_catalog.count(*)
	FROM pgsluice.jobs AS j
	WHERE j.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND j.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND j.login OPERATOR(pg_catalog.=) $4::pg_catalog.oid
		AND j.state OPERATOR(pg_catalog.=) ANY (ARRAY['running', 'stopped'])) OPERATOR(pg_catalog.<) $16::bigint
ON CONFLICT DO NOTHING
RETURNING id
