-- How many schema changes nobody judged, those that are only counted included: of the last $3 microseconds, or of all for 0.
SELECT COALESCE(pg_catalog.sum(1 OPERATOR(pg_catalog.+) c.left_out), 0)::bigint
FROM pgsluice.changes AS c
WHERE (c.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND c.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid) IS TRUE
	AND c.out_of_band
	AND ($3::bigint OPERATOR(pg_catalog.=) 0::bigint OR c.changed OPERATOR(pg_catalog.>=)
		(pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) ($3::bigint OPERATOR(pg_catalog.*) '1 microsecond'::pg_catalog.interval)))
