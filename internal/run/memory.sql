-- The maintenance_work_mem for a concurrent build on the table $1: 80 bytes a row, with which it sorts a short key in memory, or as much as there may be: a quarter
-- of the server's shared_buffers, and a gigabyte. No row where that is not enough for the pointers to all rows, 24 bytes each and a third more for the rows that
-- the statistics do not know yet; nor where the setting is enough, or is not the one that the server comes with, so that somebody has chosen it.
SELECT pg_catalog.concat(LEAST(n.rows OPERATOR(pg_catalog.*) 80::pg_catalog.int8, n.most) OPERATOR(pg_catalog./) 1024::pg_catalog.int8, 'kB')
FROM (
	SELECT t.reltuples::pg_catalog.int8 AS rows, LEAST(1073741824::pg_catalog.int8,
		pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) OPERATOR(pg_catalog./) 4::pg_catalog.int8) AS most
	FROM pg_catalog.pg_class AS t
	WHERE t.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid) AS n
CROSS JOIN pg_catalog.pg_settings AS m
WHERE m.name OPERATOR(pg_catalog.=) 'maintenance_work_mem' AND m.setting OPERATOR(pg_catalog.=) m.boot_val
AND (n.rows OPERATOR(pg_catalog.*) 32::pg_catalog.int8) OPERATOR(pg_catalog.<=) n.most
AND LEAST(n.rows OPERATOR(pg_catalog.*) 80::pg_catalog.int8, n.most) OPERATOR(pg_catalog.>)
	(m.setting::pg_catalog.int8 OPERATOR(pg_catalog.*) 1024::pg_catalog.int8)
