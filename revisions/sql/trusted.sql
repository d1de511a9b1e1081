-- Everyone who can read or write the ledger past its functions, and why, most powerful first. $1 is the OID of the control role.
WITH role AS (
	SELECT r.*, pg_catalog.current_setting('server_version_num')::integer AS server FROM pg_catalog.pg_roles AS r
), trusted (rank, name, why) AS (
	SELECT 1, r.rolname, 'superuser'
	FROM role AS r WHERE r.rolsuper
	UNION ALL
	SELECT 2, r.rolname, 'owner of the ledger; nobody can log in as it'
	FROM role AS r WHERE r.rolname OPERATOR(pg_catalog.=) 'pgsluice_owner'
	UNION ALL
	SELECT 3, r.rolname, 'may act as pgsluice_owner, or make others so'
	FROM role AS r, role AS o
	WHERE o.rolname OPERATOR(pg_catalog.=) 'pgsluice_owner' AND NOT r.rolsuper AND r.oid OPERATOR(pg_catalog.<>) o.oid
		AND (pg_catalog.pg_has_role(r.oid, o.oid, 'MEMBER') OR pg_catalog.pg_has_role(r.oid, o.oid, 'MEMBER WITH ADMIN OPTION'))
	UNION ALL
	SELECT 3, r.rolname, 'CREATEROLE: before Postgres 16 it may make anyone a member of pgsluice_owner'
	FROM role AS r
	WHERE r.rolcreaterole AND NOT r.rolsuper AND r.server OPERATOR(pg_catalog.<) 160000
	UNION ALL
	SELECT 4, r.rolname, 'control role: reads the key and works on promises'
	FROM role AS r WHERE r.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND NOT r.rolsuper
	UNION ALL
	SELECT 5, r.rolname, 'may act as the control role, or make others so'
	FROM role AS r, role AS c
	WHERE c.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND NOT r.rolsuper AND r.oid OPERATOR(pg_catalog.<>) c.oid
		AND (pg_catalog.pg_has_role(r.oid, c.oid, 'MEMBER') OR pg_catalog.pg_has_role(r.oid, c.oid, 'MEMBER WITH ADMIN OPTION'))
	UNION ALL
	SELECT 6, r.rolname, 'BYPASSRLS: row security is what hides the key'
	FROM role AS r WHERE r.rolbypassrls AND NOT r.rolsuper
	UNION ALL
	SELECT 7, r.rolname, 'REPLICATION: receives every row of the database'
	FROM role AS r WHERE r.rolreplication AND NOT r.rolsuper
	UNION ALL
	SELECT 8, r.rolname, pg_catalog.format('member of %I: as good as a superuser', g.rolname)
	FROM role AS r, role AS g
	WHERE g.rolname OPERATOR(pg_catalog.=) ANY (ARRAY['pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program'])
		AND NOT r.rolsuper AND r.oid OPERATOR(pg_catalog.<>) g.oid AND pg_catalog.pg_has_role(r.oid, g.oid, 'MEMBER')
	UNION ALL
	SELECT 9, r.rolname, pg_catalog.format('member of %I: row security stops it, and that alone', g.rolname)
	FROM role AS r, role AS g
	WHERE g.rolname OPERATOR(pg_catalog.=) ANY (ARRAY['pg_read_all_data', 'pg_write_all_data'])
		AND NOT r.rolsuper AND r.oid OPERATOR(pg_catalog.<>) g.oid AND pg_catalog.pg_has_role(r.oid, g.oid, 'MEMBER')
)
SELECT pg_catalog.json_build_object('role', t.name, 'why', t.why) FROM trusted AS t ORDER BY t.rank, t.name, t.why
