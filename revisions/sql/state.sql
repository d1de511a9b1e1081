-- The identity of this database, what its ledger says of itself, and what the current role may read of it.
WITH home AS (
	SELECT s.system_identifier, d.oid AS database_oid, d.datname
	FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_database AS d
	WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
), own AS (
	SELECT i.* FROM pgsluice.installation AS i JOIN home AS h
		ON i.system_identifier OPERATOR(pg_catalog.=) h.system_identifier AND i.database_oid OPERATOR(pg_catalog.=) h.database_oid
)
SELECT pg_catalog.json_build_object(
	'system', h.system_identifier,
	'database', h.database_oid::bigint,
	'database_name', h.datname,
	'login', CURRENT_USER,
	'installed', EXISTS (SELECT FROM own),
	-- A copy has only its original's rows; the tables are of that version.
	'version', COALESCE((SELECT o.version FROM own AS o), (SELECT pg_catalog.max(i.version) FROM pgsluice.installation AS i), 0),
	'control_role', COALESCE((SELECT o.control_role::bigint FROM own AS o), 0),
	'readable', NOT pg_catalog.row_security_active('pgsluice.keys'::pg_catalog.regclass::pg_catalog.oid) OR EXISTS (
		SELECT FROM pg_catalog.pg_policy AS p
		CROSS JOIN LATERAL pg_catalog.unnest(p.polroles) AS r (oid)
		WHERE p.polrelid OPERATOR(pg_catalog.=) 'pgsluice.keys'::pg_catalog.regclass
			AND pg_catalog.pg_has_role(r.oid, 'USAGE')))
FROM home AS h
