-- What a statement would run that is not on the wire, one line each: functions that are not the system's, views, triggers and rules. The parameter is
-- {"calls": [{"schema": …, "name": …}], "read": [names as written], "written": [the same]}.
WITH asked AS (
	SELECT $1::pg_catalog.json AS j
)
SELECT pg_catalog.concat('function ', pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(p.proname))
FROM asked
CROSS JOIN LATERAL pg_catalog.json_array_elements(asked.j OPERATOR(pg_catalog.->) 'calls') AS c(j)
JOIN pg_catalog.pg_proc AS p ON p.proname OPERATOR(pg_catalog.=) (c.j OPERATOR(pg_catalog.->>) 'name')::pg_catalog.name
JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
WHERE n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema}'::pg_catalog.name[])
	AND CASE c.j OPERATOR(pg_catalog.->>) 'schema'
		WHEN '' THEN pg_catalog.pg_function_is_visible(p.oid)
		ELSE n.nspname OPERATOR(pg_catalog.=) (c.j OPERATOR(pg_catalog.->>) 'schema')::pg_catalog.name
	END
UNION
SELECT pg_catalog.concat('view ', c.oid::pg_catalog.regclass)
FROM asked
CROSS JOIN LATERAL pg_catalog.json_array_elements_text(asked.j OPERATOR(pg_catalog.->) 'read') AS r(name)
JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(r.name)
JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE c.relkind OPERATOR(pg_catalog.=) 'v'
	AND n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema}'::pg_catalog.name[])
UNION
SELECT pg_catalog.concat('trigger ', pg_catalog.quote_ident(t.tgname), ' of ', t.tgrelid::pg_catalog.regclass)
FROM asked
CROSS JOIN LATERAL pg_catalog.json_array_elements_text(asked.j OPERATOR(pg_catalog.->) 'written') AS w(name)
JOIN pg_catalog.pg_trigger AS t ON t.tgrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(w.name)::pg_catalog.oid
WHERE NOT t.tgisinternal AND t.tgenabled OPERATOR(pg_catalog.<>) 'D'
UNION
SELECT pg_catalog.concat('rule ', pg_catalog.quote_ident(w.rulename), ' of ', w.ev_class::pg_catalog.regclass)
FROM asked
CROSS JOIN LATERAL pg_catalog.json_array_elements_text(asked.j OPERATOR(pg_catalog.->) 'written') AS t(name)
JOIN pg_catalog.pg_rewrite AS w ON w.ev_class OPERATOR(pg_catalog.=) pg_catalog.to_regclass(t.name)::pg_catalog.oid
WHERE w.ev_enabled OPERATOR(pg_catalog.<>) 'D'
