-- The event triggers of the ledger, under the names that install gives them, as they are.
SELECT pg_catalog.json_build_object(
	'name', t.evtname,
	'event', t.evtevent,
	'enabled', t.evtenabled,
	'ours', COALESCE(t.evttags IS NULL AND t.evtfoid OPERATOR(pg_catalog.=) (
		SELECT p.oid
		FROM pg_catalog.pg_proc AS p
		JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
		WHERE n.nspname OPERATOR(pg_catalog.=) 'pgsluice' AND p.proname OPERATOR(pg_catalog.=) 'note_change' AND p.pronargs OPERATOR(pg_catalog.=) 0), false))
FROM pg_catalog.pg_event_trigger AS t
WHERE t.evtname OPERATOR(pg_catalog.=) ANY (ARRAY['pgsluice_changed', 'pgsluice_dropped'])
ORDER BY t.evtname
