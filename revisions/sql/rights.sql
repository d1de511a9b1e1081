-- One row for each statement that a superuser would have to run before the current role can install the ledger.
WITH owner AS (
	SELECT * FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) 'pgsluice_owner'
), me AS (
	SELECT r.*,
		-- Up to Postgres 15 CREATEROLE may grant any role that is not a superuser; after that it takes the ADMIN option.
		r.rolcreaterole AND pg_catalog.current_setting('server_version_num')::integer OPERATOR(pg_catalog.<) 160000 AS grants_all
	FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER
), missing (statement, is_missing) AS (
	SELECT pg_catalog.format('GRANT CREATE ON DATABASE %I TO %I', pg_catalog.current_database(), me.rolname),
		NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.=) 'pgsluice')
	FROM me
	UNION ALL
	SELECT 'CREATE ROLE pgsluice_owner NOLOGIN', NOT me.rolcreaterole AND NOT EXISTS (SELECT FROM owner)
	FROM me
	UNION ALL
	SELECT 'GRANT pg_read_all_stats TO pgsluice_owner',
		NOT me.grants_all AND NOT pg_catalog.pg_has_role('pg_read_all_stats', 'MEMBER WITH ADMIN OPTION')
			AND NOT EXISTS (SELECT FROM owner AS o WHERE pg_catalog.pg_has_role(o.oid, 'pg_read_all_stats', 'MEMBER'))
	FROM me
	UNION ALL
	SELECT pg_catalog.format('GRANT pgsluice_owner TO %I', me.rolname),
		CASE WHEN EXISTS (SELECT FROM owner)
			THEN NOT me.grants_all AND NOT EXISTS (SELECT FROM owner AS o
				WHERE pg_catalog.pg_has_role(o.oid, 'MEMBER WITH ADMIN OPTION') OR pg_catalog.pg_has_role(o.oid, 'MEMBER'))
			ELSE NOT me.rolcreaterole
		END
	FROM me
)
SELECT m.statement FROM missing AS m, me WHERE m.is_missing AND NOT me.rolsuper
