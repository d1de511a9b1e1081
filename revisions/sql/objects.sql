-- Every object in the schema as one line, the policies of its tables included. $1 is the OID of the control role.
WITH namespace AS (
	SELECT * FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.=) 'pgsluice'
), line (text) AS (
	SELECT pg_catalog.format('%s %s%s%s', i.type, i.identity,
		CASE WHEN c.relrowsecurity THEN ' row security' ELSE '' END,
		CASE WHEN f.prosecdef THEN pg_catalog.format(' security definer %s', f.proconfig) ELSE '' END)
	FROM namespace AS n
	JOIN pg_catalog.pg_depend AS d ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
		AND d.refobjid OPERATOR(pg_catalog.=) n.oid
	CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) AS i
	LEFT JOIN pg_catalog.pg_class AS c ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
		AND c.oid OPERATOR(pg_catalog.=) d.objid
	LEFT JOIN pg_catalog.pg_proc AS f ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
		AND f.oid OPERATOR(pg_catalog.=) d.objid
	UNION ALL
	SELECT pg_catalog.format('policy %I on pgsluice.%I for %s %s using %s', p.polname, c.relname, p.polcmd,
		CASE WHEN p.polroles OPERATOR(pg_catalog.=) ARRAY[$1::pg_catalog.oid] THEN 'to the control role' ELSE 'to somebody else' END,
		pg_catalog.pg_get_expr(p.polqual, p.polrelid))
	FROM namespace AS n
	JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
	JOIN pg_catalog.pg_policy AS p ON p.polrelid OPERATOR(pg_catalog.=) c.oid
)
SELECT l.text FROM line AS l ORDER BY l.text COLLATE pg_catalog."C"
