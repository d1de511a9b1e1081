-- All anchors of audit trails.
SELECT pg_catalog.json_build_object('chain', a.chain, 'seq', a.seq, 'hash', a.hash, 'process', a.process, 'anchored', a.anchored)
FROM pgsluice.anchors AS a
WHERE a.system_identifier OPERATOR(pg_catalog.=) $1::bigint
	AND a.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
ORDER BY a.chain, a.seq
