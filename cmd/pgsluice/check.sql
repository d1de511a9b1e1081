-- What the server and this login are, as one JSON object. It takes no lock and works for any login on Postgres 12 to 18.
SELECT pg_catalog.json_build_object(
	'version', pg_catalog.current_setting('server_version'),
	'version_num', pg_catalog.current_setting('server_version_num')::integer,
	'database', pg_catalog.current_database(),
	'login', SESSION_USER,
	'pid', pg_catalog.pg_backend_pid(),
	'standby', pg_catalog.pg_is_in_recovery(),
	'read_only', pg_catalog.current_setting('default_transaction_read_only') OPERATOR(pg_catalog.=) 'on',
	'superuser', me.rolsuper,
	'create_in_database', pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
	'create_temporary', pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY'),
	'stats', pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'),
	'encrypted', COALESCE((SELECT s.ssl FROM pg_catalog.pg_stat_ssl AS s
		WHERE s.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()), false),
	'local', COALESCE(pg_catalog.host(pg_catalog.inet_client_addr()) OPERATOR(pg_catalog.~) '^(127\.|::1$)', true),
	'ssl', COALESCE(pg_catalog.current_setting('ssl', true), 'off') OPERATOR(pg_catalog.=) 'on',
	'scram', pg_catalog.current_setting('password_encryption') OPERATOR(pg_catalog.=) 'scram-sha-256',
	'check_interval', pg_catalog.current_setting('client_connection_check_interval', true),
	'deadlock_timeout', pg_catalog.current_setting('deadlock_timeout'),

	-- Schemas with tables in which the login may not create an index.
	'closed_schemas', (SELECT COALESCE(pg_catalog.json_agg(n.nspname ORDER BY n.nspname), '[]'::pg_catalog.json)
		FROM pg_catalog.pg_namespace AS n
		WHERE n.nspname OPERATOR(pg_catalog.!~) '^(pg_|information_schema$|pgsluice$)'
			AND EXISTS (SELECT FROM pg_catalog.pg_class AS c
				WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid
					AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::"char"[]))
			AND NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE')),

	-- Owners of tables that the login is not a member of.
	'foreign_owners', (SELECT COALESCE(pg_catalog.json_agg(o.rolname ORDER BY o.rolname), '[]'::pg_catalog.json)
		FROM pg_catalog.pg_roles AS o
		WHERE NOT pg_catalog.pg_has_role(o.oid, 'MEMBER')
			AND EXISTS (SELECT FROM pg_catalog.pg_class AS c
				JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
				WHERE c.relowner OPERATOR(pg_catalog.=) o.oid
					AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::"char"[])
					AND n.nspname OPERATOR(pg_catalog.!~) '^(pg_|information_schema$|pgsluice$)')),

	'replicas', (SELECT COALESCE(pg_catalog.json_agg(COALESCE(NULLIF(r.application_name, ''), r.pid::pg_catalog.text)
			ORDER BY r.pid), '[]'::pg_catalog.json)
		FROM pg_catalog.pg_stat_replication AS r),
	'idle_slots', (SELECT COALESCE(pg_catalog.json_agg(s.slot_name ORDER BY s.slot_name), '[]'::pg_catalog.json)
		FROM pg_catalog.pg_replication_slots AS s WHERE NOT s.active),
	'extensions', (SELECT COALESCE(pg_catalog.json_agg(e.extname ORDER BY e.extname), '[]'::pg_catalog.json)
		FROM pg_catalog.pg_extension AS e
		WHERE e.extname OPERATOR(pg_catalog.=) ANY (ARRAY['citus', 'timescaledb'])),
	-- Of ours the ledger tells.
	'event_triggers', (SELECT COALESCE(pg_catalog.json_agg(t.evtname ORDER BY t.evtname), '[]'::pg_catalog.json)
		FROM pg_catalog.pg_event_trigger AS t WHERE t.evtenabled OPERATOR(pg_catalog.<>) 'D'::"char"
			AND t.evtname OPERATOR(pg_catalog.<>) ALL (ARRAY['pgsluice_changed', 'pgsluice_dropped'])),
	'publications', (SELECT COALESCE(pg_catalog.json_agg(p.pubname ORDER BY p.pubname), '[]'::pg_catalog.json)
		FROM pg_catalog.pg_publication AS p WHERE p.puballtables),
	'invalid_indexes', (SELECT COALESCE(pg_catalog.json_agg(i.indexrelid::pg_catalog.regclass::pg_catalog.text), '[]'::pg_catalog.json)
		FROM pg_catalog.pg_index AS i
		JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
		WHERE NOT i.indisvalid AND c.relkind OPERATOR(pg_catalog.=) 'i'::"char"),

	-- A concurrent build waits for every transaction that is older than itself.
	'old_transactions', (SELECT COALESCE(pg_catalog.json_agg(pg_catalog.format('pid %s (%s, %s, for %s)', a.pid,
			COALESCE(a.usename, 'unknown'), COALESCE(a.state, 'unknown'),
			pg_catalog.date_trunc('second', pg_catalog.now() OPERATOR(pg_catalog.-) a.xact_start)) ORDER BY a.xact_start), '[]'::pg_catalog.json)
		FROM pg_catalog.pg_stat_activity AS a
		WHERE a.xact_start OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) '5 minutes'::pg_catalog.interval)
			AND a.backend_type OPERATOR(pg_catalog.=) 'client backend'),
	'prepared_transactions', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts)
)
FROM pg_catalog.pg_roles AS me WHERE me.rolname OPERATOR(pg_catalog.=) SESSION_USER
