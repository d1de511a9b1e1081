-- Writes down the head of a chain: $3 is the chain, $4 the number of its last line, $5 that line's hash, $6 the process.
INSERT INTO pgsluice.anchors (system_identifier, database_oid, chain, seq, hash, process)
VALUES ($1::bigint, $2::pg_catalog.oid, $3::pg_catalog.text, $4::bigint, $5::pg_catalog.text, $6::pg_catalog.text)
ON CONFLICT DO NOTHING
