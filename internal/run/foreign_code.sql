-- Event triggers that would run code of somebody who is no superuser: their own functions, and with $1 (a step that runs under
-- the search_path of a client) also functions that look names up in it. The ledger's own is known, and its owner nobody's whom opening it has let pass.
SELECT pg_catalog.format('event trigger %I runs function %s', e.evtname, p.oid::pg_catalog.regprocedure)
FROM pg_catalog.pg_event_trigger AS e
JOIN pg_catalog.pg_proc AS p ON p.oid OPERATOR(pg_catalog.=) e.evtfoid
JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) p.proowner
WHERE e.evtenabled OPERATOR(pg_catalog.<>) 'D'
AND NOT (n.nspname OPERATOR(pg_catalog.=) 'pgsluice' AND r.rolname OPERATOR(pg_catalog.=) 'pgsluice_owner' AND p.prosecdef)
AND (NOT r.rolsuper OR $1::pg_catalog.bool AND NOT EXISTS (
	SELECT FROM pg_catalog.unnest(p.proconfig) AS c(setting) WHERE pg_catalog.starts_with(c.setting, 'search_path=')))
LIMIT 1
