-- $3 is the promise, $4 the reason. One that is running is left to who runs it.
UPDATE pgsluice.promises AS p
SET state = 'void', message = $4::pg_catalog.text, finished = pg_catalog.clock_timestamp()
WHERE p.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND p.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND p.id OPERATOR(pg_catalog.=) $3::bigint
	AND p.state OPERATOR(pg_catalog.=) ANY (ARRAY['pending', 'failed', 'void'])
RETURNING p.id
