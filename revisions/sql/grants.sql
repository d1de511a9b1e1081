-- Every privilege that somebody other than its owner has on the schema or an object in it: on what, what, and who.
-- $1 is the OID of the control role.
WITH namespace AS (
	SELECT * FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.=) 'pgsluice'
), object (name, owner, acl, columns) AS (
	SELECT 'SCHEMA pgsluice', n.nspowner, COALESCE(n.nspacl, pg_catalog.acldefault('n', n.nspowner)), ''
	FROM namespace AS n
	UNION ALL
	SELECT pg_catalog.format('%s pgsluice.%I', CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.relname),
		c.relowner, c.relacl, ''
	FROM namespace AS n JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
	UNION ALL
	SELECT pg_catalog.format('TABLE pgsluice.%I', c.relname), c.relowner, a.attacl, pg_catalog.format(' (%I)', a.attname)
	FROM namespace AS n
	JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
	JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
	UNION ALL
	SELECT pg_catalog.format('FUNCTION %s', p.oid::pg_catalog.regprocedure), p.proowner,
		COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner)), ''
	FROM namespace AS n JOIN pg_catalog.pg_proc AS p ON p.pronamespace OPERATOR(pg_catalog.=) n.oid
)
SELECT pg_catalog.json_build_object(
	'object', o.name,
	'privilege', g.privilege_type OPERATOR(pg_catalog.||) o.columns
		OPERATOR(pg_catalog.||) CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END,
	'grantee', CASE
		WHEN g.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC'
		ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END,
	'control', g.grantee OPERATOR(pg_catalog.<>) 0::pg_catalog.oid AND g.grantee OPERATOR(pg_catalog.=) $1::pg_catalog.oid)
FROM object AS o CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) AS g
WHERE g.grantee OPERATOR(pg_catalog.<>) o.owner
ORDER BY o.name, o.columns, g.privilege_type, g.grantee
