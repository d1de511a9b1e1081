-- What a migration was to leave behind, one line each, and whether it is in force. The names of schemas are left out by search_path.
SELECT pg_catalog.format('%s [%s]', pg_catalog.pg_get_indexdef(i.indexrelid), CASE WHEN i.indisvalid THEN 'valid' ELSE 'INVALID' END)
FROM pg_catalog.pg_index AS i
WHERE i.indrelid OPERATOR(pg_catalog.=) 'public.orders'::pg_catalog.regclass
UNION ALL
SELECT pg_catalog.format('%s %s [%s]', k.conname, pg_catalog.pg_get_constraintdef(k.oid), CASE WHEN k.convalidated THEN 'valid' ELSE 'INVALID' END)
FROM pg_catalog.pg_constraint AS k
WHERE k.conrelid OPERATOR(pg_catalog.=) 'public.orders'::pg_catalog.regclass
UNION ALL
SELECT pg_catalog.format('column %s %s [valid]', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod))
FROM pg_catalog.pg_attribute AS a
WHERE a.attrelid OPERATOR(pg_catalog.=) 'public.orders'::pg_catalog.regclass AND a.attnum OPERATOR(pg_catalog.>) 0
UNION ALL
SELECT pg_catalog.format('revision %s [valid]', v.version_num) FROM public.alembic_version AS v
ORDER BY 1
