-- One row for each statement that makes the role pgsluice_owner what it has to be, and the current role able to act as it.
WITH owner AS (
	SELECT * FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) 'pgsluice_owner'
)
SELECT 'CREATE ROLE pgsluice_owner NOLOGIN'
WHERE NOT EXISTS (SELECT FROM owner)
UNION ALL
SELECT 'GRANT pg_read_all_stats TO pgsluice_owner'
WHERE NOT EXISTS (SELECT FROM owner AS o WHERE pg_catalog.pg_has_role(o.oid, 'pg_read_all_stats', 'MEMBER'))
UNION ALL
SELECT 'GRANT pgsluice_owner TO CURRENT_USER'
WHERE NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
	AND NOT EXISTS (SELECT FROM owner AS o WHERE pg_catalog.pg_has_role(o.oid,
		-- From Postgres 16 on one can be a member that may not SET ROLE.
		CASE WHEN pg_catalog.current_setting('server_version_num')::integer OPERATOR(pg_catalog.<) 160000 THEN 'MEMBER' ELSE 'SET' END))
