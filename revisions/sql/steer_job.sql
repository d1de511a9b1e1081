-- $3: id; $4: run, pause or cancel, "" to leave it; $5: milliseconds, -1 to leave them, 0 for those of the configuration; $6: the ratio, in the
-- same way with -1 and -2. A job that nobody works on is given up at once when it is to be cancelled; $7 is the reason.
UPDATE pgsluice.jobs AS j
SET wanted = CASE WHEN $4::pg_catalog.text OPERATOR(pg_catalog.=) '' THEN j.wanted ELSE $4::pg_catalog.text END,
	target_time = CASE $5::integer WHEN -1 THEN j.target_time WHEN 0 THEN NULL ELSE $5::integer END,
	nice_ratio = CASE $6::double precision WHEN -1 THEN j.nice_ratio WHEN -2 THEN NULL ELSE $6::double precision END,
	state = CASE WHEN v.void THEN 'void' ELSE j.state END,
	finished = CASE WHEN v.void THEN pg_catalog.clock_timestamp() ELSE j.finished END,
	message = CASE WHEN v.void THEN $7::pg_catalog.text ELSE j.message END,
	content = CASE WHEN v.void THEN pg_catalog.json_build_object('asked', j.content OPERATOR(pg_catalog.->) 'asked'::pg_catalog.text)
		ELSE j.content END
FROM pgsluice.jobs AS o
CROSS JOIN LATERAL (
	SELECT $4::pg_catalog.text OPERATOR(pg_catalog.=) 'cancel' AND (o.state OPERATOR(pg_catalog.=) 'stopped' OR NOT EXISTS (
		SELECT FROM pg_catalog.pg_stat_get_activity(o.pid) AS a
		WHERE a.backend_start IS NULL
			OR pg_catalog.round(pg_catalog.date_part('epoch', a.backend_start) OPERATOR(pg_catalog.*) 1000000::double precision)::bigint
				OPERATOR(pg_catalog.=) o.backend_start)) AS void) AS v
WHERE j.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND j.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
	AND j.id OPERATOR(pg_catalog.=) $3::bigint
	AND o.system_identifier OPERATOR(pg_catalog.=) j.system_identifier AND o.database_oid OPERATOR(pg_catalog.=) j.database_oid
	AND o.id OPERATOR(pg_catalog.=) j.id
	AND j.state OPERATOR(pg_catalog.=) ANY (ARRAY['running', 'stopped'])
	AND o.state OPERATOR(pg_catalog.=) j.state
RETURNING j.id
