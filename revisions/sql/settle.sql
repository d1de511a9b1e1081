-- Gives statements whose transaction has ended their outcome, and tells those outcomes, and of the statements in $3 also those that were known before. A
-- transaction counts as ended when this snapshot sees it so: then it also sees what it has attested. IS TRUE, and OFFSET 0, keep the planner from looking by
-- the identity of the database, which it takes for selective in a table that was never analyzed: it would read all of the ledger.
WITH quick AS MATERIALIZED (
	SELECT pg_catalog.set_config('synchronous_commit', 'off', true) AS setting, pg_catalog.pg_current_snapshot() AS now
), ended AS MATERIALIZED (
	SELECT s.id, s.xid,
		CASE
			-- Whoever ran it may have died before its end was written down; the attestation is there all the same.
			WHEN EXISTS (
				SELECT FROM pgsluice.attestations AS a
				WHERE (a.system_identifier OPERATOR(pg_catalog.=) s.system_identifier AND a.database_oid OPERATOR(pg_catalog.=) s.database_oid) IS TRUE
					AND a.statement_id OPERATOR(pg_catalog.=) s.id
					AND (s.xid IS NULL OR a.xid OPERATOR(pg_catalog.=) s.xid)
					AND a.digest OPERATOR(pg_catalog.=) s.digest) THEN 'committed'
			WHEN s.xid IS NULL THEN 'lost'
			WHEN s.attested THEN 'rolled back'
			WHEN pg_catalog.pg_xact_status(s.xid) OPERATOR(pg_catalog.=) 'committed' THEN 'committed'
			WHEN pg_catalog.pg_xact_status(s.xid) OPERATOR(pg_catalog.=) 'aborted' THEN 'rolled back'
			ELSE 'lost' -- so long ago that the server has forgotten
		END AS outcome
	FROM pgsluice.statements AS s, quick
	WHERE quick.setting IS NOT NULL
		AND (s.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND s.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid) IS TRUE
		AND s.outcome OPERATOR(pg_catalog.=) ANY (ARRAY['begun', 'open', 'lost'])
		AND CASE WHEN s.xid IS NOT NULL THEN pg_catalog.pg_visible_in_snapshot(s.xid, quick.now)
			ELSE s.outcome OPERATOR(pg_catalog.<>) 'lost' AND NOT EXISTS (
				SELECT FROM pg_catalog.pg_stat_get_activity(s.pid) AS a
				WHERE COALESCE(a.backend_start OPERATOR(pg_catalog.<=) s.started, true))
			END
), settled AS (
	UPDATE pgsluice.statements AS s
	SET outcome = e.outcome
	FROM ended AS e
	WHERE (s.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND s.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid) IS TRUE
		AND s.id OPERATOR(pg_catalog.=) e.id
		AND s.outcome OPERATOR(pg_catalog.<>) e.outcome
		-- As this snapshot saw it: what its own session has written since is newer.
		AND s.outcome OPERATOR(pg_catalog.=) ANY (ARRAY['begun', 'open', 'lost'])
		AND (s.xid IS NULL AND e.xid IS NULL OR s.xid OPERATOR(pg_catalog.=) e.xid)
	RETURNING s.id, s.outcome
)
SELECT pg_catalog.json_build_object('id', s.id, 'outcome', s.outcome, 'settled', true)
FROM settled AS s
UNION ALL
SELECT pg_catalog.json_build_object('id', s.id, 'outcome', s.outcome, 'settled', false)
FROM pg_catalog.json_array_elements_text($3::pg_catalog.json) AS asked(id), LATERAL (
	SELECT known.id, known.outcome
	FROM pgsluice.statements AS known
	WHERE known.system_identifier OPERATOR(pg_catalog.=) $1::bigint
		AND known.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND known.id OPERATOR(pg_catalog.=) asked.id::bigint
	OFFSET 0
) AS s
WHERE s.outcome OPERATOR(pg_catalog.<>) ALL (ARRAY['begun', 'open', 'lost'])
