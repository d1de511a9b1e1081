-- The table $1: its rows as the server estimates them, 0 when it does not know, and the bytes of one with its share of TOAST.
SELECT pg_catalog.json_build_object(
	'rows', c.known,
	'width', CASE WHEN c.known OPERATOR(pg_catalog.>) 0::pg_catalog.float8
		THEN pg_catalog.pg_table_size(c.oid)::pg_catalog.float8 OPERATOR(pg_catalog./) c.known ELSE 0 END)
FROM (
	SELECT t.oid, GREATEST(t.reltuples, 0::pg_catalog.float4)::pg_catalog.float8 AS known
	FROM pg_catalog.pg_class AS t
	WHERE t.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid) AS c
