-- The statements of a revision, in order; those of none for $3 = 0, the last thousand of them.
SELECT pg_catalog.json_build_object(
	'id', s.id, 'revision_id', COALESCE(s.revision_id, 0), 'session', s.session, 'pid', s.pid, 'login', s.login, 'role', s.role,
	'client', s.client, 'application_name', s.application, 'tool', s.tool, 'own', s.own, 'tag', s.tag, 'asked', s.asked, 'digest', s.digest,
	'fingerprint', s.fingerprint, 'verdict', s.verdict, 'rules', s.rules, 'overrides', s.overrides, 'ran', s.ran, 'locks', s.locks,
	'tries', s.tries, 'waited_ms', s.waited_ms, 'rows', s.rows, 'promise_id', s.promise_id, 'sqlstate', s.sqlstate, 'error', s.error,
	'outcome', s.outcome, 'xid', COALESCE(s.xid::pg_catalog.text, '0'), 'attested', s.attested, 'started', s.started, 'finished', s.finished)
FROM (
	SELECT * FROM pgsluice.statements AS o
	WHERE o.system_identifier OPERATOR(pg_catalog.=) $1::bigint
		AND o.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND CASE WHEN $3::bigint OPERATOR(pg_catalog.=) 0
			THEN o.revision_id IS NULL AND NOT o.own AND o.tool OPERATOR(pg_catalog.=) ''
			ELSE o.revision_id OPERATOR(pg_catalog.=) $3::bigint END
	ORDER BY o.id DESC
	LIMIT CASE WHEN $3::bigint OPERATOR(pg_catalog.=) 0 THEN 1000 END
) AS s
ORDER BY s.id
