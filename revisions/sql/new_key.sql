-- Makes a key and returns its id. The secret is made in the server, so that it never travels where a log could catch it:
-- 366 random bits, hashed to 256. HMAC pads it to 64 bytes and flips its bits by 0x36 for one block and 0x5c for the other.
WITH secret AS MATERIALIZED (
	SELECT pg_catalog.sha256(
		pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
		OPERATOR(pg_catalog.||) pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
		OPERATOR(pg_catalog.||) pg_catalog.uuid_send(pg_catalog.gen_random_uuid())) AS bytes
), pad (inner_pad, outer_pad) AS (
	SELECT
		pg_catalog.string_agg(pg_catalog.set_byte('x', 0, pg_catalog.get_byte(s.bytes, i.n) OPERATOR(pg_catalog.#) 54), '' ORDER BY i.n),
		pg_catalog.string_agg(pg_catalog.set_byte('x', 0, pg_catalog.get_byte(s.bytes, i.n) OPERATOR(pg_catalog.#) 92), '' ORDER BY i.n)
	FROM secret AS s, pg_catalog.generate_series(0, 31) AS i (n)
)
INSERT INTO pgsluice.keys (system_identifier, database_oid, id, inner_pad, outer_pad)
SELECT $1::bigint, $2::pg_catalog.oid,
	(SELECT COALESCE(pg_catalog.max(k.id), 0) OPERATOR(pg_catalog.+) 1 FROM pgsluice.keys AS k
		WHERE k.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND k.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid),
	p.inner_pad OPERATOR(pg_catalog.||) pg_catalog.decode(pg_catalog.repeat('36', 32), 'hex'),
	p.outer_pad OPERATOR(pg_catalog.||) pg_catalog.decode(pg_catalog.repeat('5c', 32), 'hex')
FROM pad AS p
RETURNING id
