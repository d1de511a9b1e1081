-- $3: id; $4 to $6: the runner; $7: done, stopped or void; $8 and $9: the error or the reason. What has ended needs its parameters no more.
-- Ending twice alike is allowed, because the first answer may have been lost.
UPDATE pgsluice.jobs AS j
SET state = $7::pg_catalog.text, sqlstate = $8::pg_catalog.text, message = $9::pg_catalog.text, reason = '',
	finished = CASE WHEN $7::pg_catalog.text OPERATOR(pg_catalog.=) 'stopped' THEN NULL ELSE pg_catalog.clock_timestamp() END,
	heartbeat = pg_catalog.clock_timestamp(),
	content = CASE WHEN $7::pg_catalog.text OPERATOR(pg_catalog.=) 'stopped' THEN j.content
		ELSE pg_catalog.json_build_object('asked', j.content OPERATOR(pg_catalog.->) 'asked'::pg_catalog.text) END
WHERE j.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND j.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND j.id OPERATOR(pg_catalog.=) $3::bigint
	AND j.state OPERATOR(pg_catalog.=) ANY (ARRAY['running', $7::pg_catalog.text])
	AND j.runner OPERATOR(pg_catalog.=) $4::pg_catalog.text
	AND j.pid OPERATOR(pg_catalog.=) $5::integer AND j.backend_start OPERATOR(pg_catalog.=) $6::bigint
RETURNING j.id
