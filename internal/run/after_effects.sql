-- What waits for COMMIT in this transaction: rows changed in ordinary tables, each of which may have a deferred trigger, and cursors
-- that COMMIT will read to their end. Where the server itself writes down the step (pgsluice install --event-trigger) no trigger is: opening the ledger has seen to it.
SELECT pg_catalog.concat(
	(SELECT COALESCE(pg_catalog.sum(pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid)
		OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)
		OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)), 0)
	FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid -- FirstNormalObjectId
	AND NOT (c.relname OPERATOR(pg_catalog.=) 'changes' AND EXISTS (
		SELECT FROM pg_catalog.pg_namespace AS n
		WHERE n.oid OPERATOR(pg_catalog.=) c.relnamespace AND n.nspname OPERATOR(pg_catalog.=) 'pgsluice')
		AND EXISTS (
			SELECT FROM pg_catalog.pg_roles AS o
			WHERE o.oid OPERATOR(pg_catalog.=) c.relowner AND o.rolname OPERATOR(pg_catalog.=) 'pgsluice_owner'))),
	' rows, ',
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_cursors AS u WHERE u.is_holdable),
	' cursors')
