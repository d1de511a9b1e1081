-- The databases that hold a ledger and that this login may enter, without entering any of them: an idle connection would
-- be in the way of DROP DATABASE and CREATE DATABASE … TEMPLATE.
SELECT d.datname
FROM pg_catalog.pg_database AS d
WHERE d.datallowconn AND NOT d.datistemplate AND pg_catalog.has_database_privilege(d.oid, 'CONNECT')
	AND EXISTS (
		SELECT FROM pg_catalog.pg_shdepend AS s
		JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) s.refobjid
		WHERE s.dbid OPERATOR(pg_catalog.=) d.oid
			AND s.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
			AND s.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
			AND s.deptype OPERATOR(pg_catalog.=) 'o'::"char"
			AND r.rolname OPERATOR(pg_catalog.=) 'pgsluice_owner'::pg_catalog.name)
ORDER BY d.datname
