-- One row for each statement that a superuser would have to run before the current role can install the ledger, in their order.
WITH owner AS (
	SELECT * FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) 'pgsluice_owner'
), able AS (
	SELECT r.rolname, r.rolcreaterole,
		-- Up to Postgres 15 CREATEROLE may grant any role that is not a superuser; after that it takes the ADMIN option.
		r.rolcreaterole AND pg_catalog.current_setting('server_version_num')::integer OPERATOR(pg_catalog.<) 160000 AS to_grant
	FROM pg_catalog.pg_roles AS r
	WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER AND NOT r.rolsuper
), need AS (
	SELECT a.rolname,
		NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.=) 'pgsluice')
			AND NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS schema,
		NOT EXISTS (SELECT FROM owner AS o WHERE pg_catalog.pg_has_role(o.oid, 'pg_read_all_stats', 'MEMBER'))
			AND NOT a.to_grant AND NOT pg_catalog.pg_has_role('pg_read_all_stats', 'MEMBER WITH ADMIN OPTION') AS stats,
		NOT EXISTS (SELECT FROM owner) AND NOT a.rolcreaterole AS role,
		EXISTS (SELECT FROM owner) AND NOT a.to_grant AND NOT EXISTS (SELECT FROM owner AS o
			WHERE pg_catalog.pg_has_role(o.oid, 'MEMBER WITH ADMIN OPTION') OR pg_catalog.pg_has_role(o.oid, 'MEMBER')) AS membership,
		EXISTS (SELECT FROM owner) AS owner_exists
	FROM able AS a
)
SELECT s.statement
FROM need AS n
CROSS JOIN LATERAL (VALUES
	(1, n.schema, pg_catalog.format('GRANT CREATE ON DATABASE %I TO %I', pg_catalog.current_database(), n.rolname)),
	-- Who cannot give the role what it needs cannot make it either.
	(2, n.role OR n.stats AND NOT n.owner_exists, 'CREATE ROLE pgsluice_owner NOLOGIN'),
	(3, n.stats, 'GRANT pg_read_all_stats TO pgsluice_owner'),
	(4, n.membership OR n.role OR n.stats AND NOT n.owner_exists, pg_catalog.format('GRANT pgsluice_owner TO %I', n.rolname))
) AS s (place, needed, statement)
WHERE s.needed
ORDER BY s.place
