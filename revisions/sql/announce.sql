INSERT INTO pgsluice.artifacts (system_identifier, database_oid, kind, schema_name, name, table_oid, promise_id, pid, backend_start)
VALUES ($1::bigint, $2::pg_catalog.oid, $3::pg_catalog.text, $4::pg_catalog.text, $5::pg_catalog.text, $6::pg_catalog.oid,
	$7::bigint, $8::integer, $9::bigint)
RETURNING id
