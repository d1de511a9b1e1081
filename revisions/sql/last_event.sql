-- What the ledger last heard of a revision, if that has not been rolled back; what it stands on, by whoever went up to it, whatever became of that; and
-- when it first and last went up, so that of two revisions it is known which was there before the other.
SELECT pg_catalog.json_build_object('Direction', r.direction, 'Revision', r.revision, 'Previous', r.previous, 'Parents', COALESCE((
	SELECT p.previous
	FROM pgsluice.revisions AS p
	WHERE p.system_identifier OPERATOR(pg_catalog.=) r.system_identifier AND p.database_oid OPERATOR(pg_catalog.=) r.database_oid
		AND p.tool OPERATOR(pg_catalog.=) r.tool AND p.version_table OPERATOR(pg_catalog.=) r.version_table
		AND p.revision OPERATOR(pg_catalog.=) r.revision AND p.direction OPERATOR(pg_catalog.=) 'up'
		AND p.state OPERATOR(pg_catalog.<>) 'unsaid' AND p.previous OPERATOR(pg_catalog.<>) ''
	ORDER BY p.id DESC
	LIMIT 1), ''), 'FirstUp', COALESCE(u.first, 0::bigint), 'LastUp', COALESCE(u.last, 0::bigint))
FROM pgsluice.revisions AS r
CROSS JOIN LATERAL (
	SELECT pg_catalog.min(p.id) AS first, pg_catalog.max(p.id) AS last
	FROM pgsluice.revisions AS p
	WHERE p.system_identifier OPERATOR(pg_catalog.=) r.system_identifier AND p.database_oid OPERATOR(pg_catalog.=) r.database_oid
		AND p.tool OPERATOR(pg_catalog.=) r.tool AND p.version_table OPERATOR(pg_catalog.=) r.version_table
		AND p.revision OPERATOR(pg_catalog.=) r.revision AND p.direction OPERATOR(pg_catalog.=) 'up'
		AND p.state OPERATOR(pg_catalog.<>) 'unsaid') AS u
JOIN pgsluice.statements AS s
	ON s.system_identifier OPERATOR(pg_catalog.=) r.system_identifier AND s.database_oid OPERATOR(pg_catalog.=) r.database_oid
	AND s.id OPERATOR(pg_catalog.=) r.statement_id
WHERE r.system_identifier OPERATOR(pg_catalog.=) $1::bigint
	AND r.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND r.tool OPERATOR(pg_catalog.=) $3::pg_catalog.text
	AND r.version_table OPERATOR(pg_catalog.=) $4::pg_catalog.text
	AND r.revision OPERATOR(pg_catalog.=) $5::pg_catalog.text
	AND r.state OPERATOR(pg_catalog.=) 'told'
	AND NOT (s.outcome OPERATOR(pg_catalog.=) 'rolled back'
		OR s.outcome OPERATOR(pg_catalog.=) 'open' AND s.xid IS NOT NULL AND pg_catalog.pg_xact_status(s.xid) OPERATOR(pg_catalog.=) 'aborted')
ORDER BY r.id DESC
LIMIT 1
