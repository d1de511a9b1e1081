-- What the ledger last heard of a revision, if that has not been rolled back.
SELECT pg_catalog.json_build_object('Direction', r.direction, 'Revision', r.revision, 'Previous', r.previous)
FROM pgsluice.revisions AS r
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
