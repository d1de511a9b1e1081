-- $3 is the promise; $4 to $6: who ran it; $7: microseconds until the next try; $8 and $9: the error. Postponing twice is
-- allowed, because the first answer may have been lost.
UPDATE pgsluice.promises AS p
SET state = 'pending', released = true, claimed_by = '', claimed_pid = 0, claimed_start = 0, heartbeat = NULL,
	not_before = pg_catalog.clock_timestamp()
		OPERATOR(pg_catalog.+) ($7::bigint OPERATOR(pg_catalog.*) '1 microsecond'::pg_catalog.interval),
	sqlstate = $8::pg_catalog.text, message = $9::pg_catalog.text
WHERE p.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND p.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND p.id OPERATOR(pg_catalog.=) $3::bigint
	AND (p.state OPERATOR(pg_catalog.=) ANY (ARRAY['pending', 'running'])
		AND (p.claimed_by OPERATOR(pg_catalog.=) $4::pg_catalog.text
			OR p.claimed_by OPERATOR(pg_catalog.=) '' AND NOT p.released
				AND p.pid OPERATOR(pg_catalog.=) $5::integer AND p.backend_start OPERATOR(pg_catalog.=) $6::bigint)
		OR p.state OPERATOR(pg_catalog.=) 'pending' AND p.released AND p.claimed_by OPERATOR(pg_catalog.=) '')
RETURNING p.id
