-- Roles that are no superusers and could replace what the event triggers run, with everybody's schema changes: they may act as the owner of the ledger, or let
-- others do so. CREATEROLE before Postgres 16 is as good as a superuser in any case.
SELECT pg_catalog.json_build_object('role', pg_catalog.quote_ident(r.rolname), 'own', r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
FROM pg_catalog.pg_roles AS r, pg_catalog.pg_roles AS o
WHERE o.rolname OPERATOR(pg_catalog.=) 'pgsluice_owner' AND NOT r.rolsuper AND r.oid OPERATOR(pg_catalog.<>) o.oid
	AND (pg_catalog.pg_has_role(r.oid, o.oid, 'MEMBER') OR pg_catalog.pg_has_role(r.oid, o.oid, 'MEMBER WITH ADMIN OPTION'))
ORDER BY r.rolname
