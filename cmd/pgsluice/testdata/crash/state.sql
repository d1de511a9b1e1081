-- All that a crash could leave in this database, a line each. $1 is the last promise of earlier runs.
SELECT coalesce(string_agg(line, E'\n' ORDER BY line), '')
FROM (
	SELECT format('relation %s (%s)', c.oid::regclass, c.relkind)
	FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'pgsluice')
	UNION ALL
	SELECT format('index %s%s', pg_get_indexdef(i.indexrelid), CASE WHEN NOT (i.indisvalid AND i.indisready AND i.indislive) THEN ' INVALID' END)
	FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast', 'pgsluice')
	UNION ALL
	SELECT format('constraint %s of %s: %s', k.conname, k.conrelid::regclass, pg_get_constraintdef(k.oid)) -- ends in NOT VALID
	FROM pg_constraint AS k JOIN pg_namespace AS n ON n.oid = k.connamespace
	WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgsluice')
	UNION ALL
	SELECT format('column %s of %s%s%s%s', a.attname, a.attrelid::regclass, CASE WHEN a.attnotnull THEN ' NOT NULL' END,
		' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), ' IDENTITY ' || nullif(a.attidentity::text, ''))
	FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
	LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgsluice')
	UNION ALL
	SELECT format('partition %s of %s%s', i.inhrelid::regclass, i.inhparent::regclass, CASE WHEN to_jsonb(i) ->> 'inhdetachpending' = 'true' THEN ' DETACH PENDING' END)
	FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgsluice')
	UNION ALL
	SELECT format('function %s', p.oid::regprocedure)
	FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
	WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgsluice')
	UNION ALL
	SELECT format('version %s', v) FROM version
	UNION ALL
	SELECT format('promise %s', state) FROM pgsluice.promises WHERE id > $1
	UNION ALL
	SELECT format('artifact %s %s', kind, name) FROM pgsluice.artifacts
	UNION ALL
	SELECT format('advisory lock of %s', pid) FROM pg_locks
	WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS lines (line)
