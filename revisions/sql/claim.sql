-- Takes promises whose backend has ended or let go, and whose claimer, if any, has ended and is silent; of what was claimed and never begun the claimer need
-- only be silent. One that is named and that of who claims is taken in any case: who asks is not at it. That a row can be seen means that its transaction has committed. A
-- backend whose start we may not see counts as alive.
-- $3 to $5: who claims; $6: microseconds of silence; $7: how many; $8: JSON array of kinds, empty for any; $9: login, 0 for
-- any; $10: id, 0 for any; $11: whether the delay of what was postponed does not matter; $12: JSON array of kinds that are taken only if they are of the
-- login $13, 0 for any.
WITH candidate AS MATERIALIZED (
	SELECT p.system_identifier, p.database_oid, p.id
	FROM pgsluice.promises AS p
	WHERE p.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND p.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND p.state OPERATOR(pg_catalog.=) ANY (ARRAY['pending', 'running'])
		AND ($11::boolean OR p.not_before IS NULL OR p.not_before OPERATOR(pg_catalog.<=) pg_catalog.clock_timestamp())
		AND (pg_catalog.json_array_length($8::pg_catalog.json) OPERATOR(pg_catalog.=) 0
			OR p.kind OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT pg_catalog.json_array_elements_text($8::pg_catalog.json))))
		AND ($9::pg_catalog.oid OPERATOR(pg_catalog.=) 0::pg_catalog.oid OR p.login OPERATOR(pg_catalog.=) $9::pg_catalog.oid)
		AND ($10::bigint OPERATOR(pg_catalog.=) 0 OR p.id OPERATOR(pg_catalog.=) $10::bigint)
		AND ($13::pg_catalog.oid OPERATOR(pg_catalog.=) 0::pg_catalog.oid OR p.login OPERATOR(pg_catalog.=) $13::pg_catalog.oid
			OR NOT p.kind OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT pg_catalog.json_array_elements_text($12::pg_catalog.json))))
		AND (p.released
			OR $10::bigint OPERATOR(pg_catalog.<>) 0 AND p.pid OPERATOR(pg_catalog.=) $4::integer AND p.backend_start OPERATOR(pg_catalog.=) $5::bigint
			OR NOT EXISTS (
			SELECT FROM pg_catalog.pg_stat_get_activity(p.pid) AS a
			WHERE a.backend_start IS NULL
				OR pg_catalog.round(pg_catalog.date_part('epoch', a.backend_start) OPERATOR(pg_catalog.*) 1000000::double precision)::bigint
					OPERATOR(pg_catalog.=) p.backend_start))
		AND (p.claimed_by OPERATOR(pg_catalog.=) ''
			OR $10::bigint OPERATOR(pg_catalog.<>) 0 AND p.claimed_pid OPERATOR(pg_catalog.=) $4::integer AND p.claimed_start OPERATOR(pg_catalog.=) $5::bigint
			OR p.heartbeat OPERATOR(pg_catalog.<) (pg_catalog.clock_timestamp()
				OPERATOR(pg_catalog.-) ($6::bigint OPERATOR(pg_catalog.*) '1 microsecond'::pg_catalog.interval))
			AND (p.state OPERATOR(pg_catalog.=) 'pending' OR NOT EXISTS (
				SELECT FROM pg_catalog.pg_stat_get_activity(p.claimed_pid) AS a
				WHERE a.backend_start IS NULL
					OR pg_catalog.round(pg_catalog.date_part('epoch', a.backend_start) OPERATOR(pg_catalog.*) 1000000::double precision)::bigint
						OPERATOR(pg_catalog.=) p.claimed_start)))
	ORDER BY p.id
	LIMIT $7::bigint
	FOR UPDATE SKIP LOCKED
), chosen AS (
	UPDATE pgsluice.promises AS p
	SET state = 'pending', claimed_by = $3::pg_catalog.text, claimed_pid = $4::integer, claimed_start = $5::bigint,
		heartbeat = pg_catalog.clock_timestamp()
	FROM candidate AS c
	WHERE p.system_identifier OPERATOR(pg_catalog.=) c.system_identifier
		AND p.database_oid OPERATOR(pg_catalog.=) c.database_oid
		AND p.id OPERATOR(pg_catalog.=) c.id
	RETURNING p.*
)
