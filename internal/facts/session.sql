-- What is known about the session: one row, as of resolve.sql, whose rules it obeys. In the order of addSession.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('session',
  pg_catalog.current_setting('server_version_num'),
  pg_catalog.pg_is_in_recovery(),
  d.datname,
  d.oid,
  CASE WHEN d.dattablespace OPERATOR(pg_catalog.=) 1663::pg_catalog.oid THEN 'pg_default' -- pg_tablespace.dat
       ELSE (SELECT y.spcname FROM pg_catalog.pg_tablespace y WHERE y.oid OPERATOR(pg_catalog.=) d.dattablespace) END,
  SESSION_USER,
  CURRENT_USER,
  pg_catalog.array_to_json(pg_catalog.current_schemas(false)),
  pg_catalog.current_setting('transaction_isolation'),
  pg_catalog.has_database_privilege(d.oid, 'TEMP') AND EXISTS (
     SELECT FROM pg_catalog.pg_language l
      WHERE l.lanname OPERATOR(pg_catalog.=) 'plpgsql' AND pg_catalog.has_language_privilege(l.oid, 'USAGE')),
  pg_catalog.array_to_json(ARRAY(SELECT e.extname FROM pg_catalog.pg_extension e)),
  pg_catalog.current_setting('block_size'),
  pg_catalog.pg_backend_pid(),
  pg_catalog.current_setting('lock_timeout', true),
  pg_catalog.current_setting('statement_timeout', true),
  pg_catalog.current_setting('idle_in_transaction_session_timeout', true),
  pg_catalog.current_setting('transaction_timeout', true),
  pg_catalog.current_setting('deadlock_timeout', true),
  pg_catalog.current_setting('client_connection_check_interval', true),
  pg_catalog.current_setting('client_encoding', true),
  pg_catalog.current_setting('client_min_messages', true),
  pg_catalog.current_setting('default_transaction_read_only', true),
  pg_catalog.current_setting('role', true),
  pg_catalog.current_setting('search_path', true),
  pg_catalog.current_setting('standard_conforming_strings', true),
  pg_catalog.current_setting('DateStyle', true),
  pg_catalog.current_setting('IntervalStyle', true),
  pg_catalog.current_setting('TimeZone', true),
  pg_catalog.current_setting('default_tablespace', true),
  pg_catalog.current_setting('default_table_access_method', true),
  pg_catalog.current_setting('application_name', true),
  pg_catalog.current_setting('pgsluice.allow', true),
  pg_catalog.current_setting('pgsluice.revision', true),
  pg_catalog.current_setting('pgsluice.actor', true)
)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM pg_catalog.pg_database d
 WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
