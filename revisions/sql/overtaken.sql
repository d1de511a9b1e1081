-- Whether another session than $4 has told of a revision by the version table $3, and a transaction that began at $6, with the snapshot $5, does not see it: what
-- it has read there is not so any more. What is not committed is no change. Of a write that was a transaction of its own only the time is known, to which that
-- one's beginning is compared.
SELECT pg_catalog.to_json(EXISTS (
	SELECT FROM pgsluice.revisions AS r
	JOIN pgsluice.statements AS s
		ON s.system_identifier OPERATOR(pg_catalog.=) r.system_identifier AND s.database_oid OPERATOR(pg_catalog.=) r.database_oid
		AND s.id OPERATOR(pg_catalog.=) r.statement_id
	WHERE r.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND r.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND r.version_table OPERATOR(pg_catalog.=) $3::pg_catalog.text AND r.session OPERATOR(pg_catalog.<>) $4::pg_catalog.text
		AND s.outcome OPERATOR(pg_catalog.<>) 'rolled back'
		AND CASE WHEN s.xid IS NULL THEN s.started OPERATOR(pg_catalog.>) $6::timestamp with time zone
			ELSE NOT pg_catalog.pg_visible_in_snapshot(s.xid, $5::pg_catalog.pg_snapshot)
				AND pg_catalog.pg_xact_status(s.xid) OPERATOR(pg_catalog.=) 'committed' END))
