-- Schema changes that nobody judged, newest first. $3 is {"login", "tag", "object", "since", "limit"}: "" and 0 for any.
SELECT pg_catalog.json_build_object(
	'id', c.id, 'changed', c.changed, 'login', c.login, 'role', c.role, 'client', c.client, 'application_name', c.application, 'pid', c.pid,
	'xid', c.xid::pg_catalog.text, 'tag', c.tag, 'dropped', c.dropped, 'objects', c.objects, 'further', c.further, 'session', c.session,
	'left_out', c.left_out)
FROM pg_catalog.json_to_record($3::pg_catalog.json) AS w(login pg_catalog.text, tag pg_catalog.text, object pg_catalog.text,
	since pg_catalog.text, "limit" bigint)
CROSS JOIN LATERAL (
	SELECT * FROM pgsluice.changes AS k
	WHERE k.system_identifier OPERATOR(pg_catalog.=) $1::bigint
		AND k.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND k.out_of_band
		AND (w.login OPERATOR(pg_catalog.=) '' OR k.login OPERATOR(pg_catalog.=) w.login)
		AND (w.tag OPERATOR(pg_catalog.=) '' OR k.tag OPERATOR(pg_catalog.=) w.tag)
		AND (w.object OPERATOR(pg_catalog.=) '' OR EXISTS (
			SELECT FROM pg_catalog.json_array_elements(k.objects) AS o (value)
			WHERE pg_catalog.strpos(o.value OPERATOR(pg_catalog.->>) 'identity', w.object) OPERATOR(pg_catalog.>) 0))
		AND (w.since OPERATOR(pg_catalog.=) '' OR k.changed OPERATOR(pg_catalog.>=) CASE WHEN w.since OPERATOR(pg_catalog.<>) ''
			THEN w.since::timestamp with time zone END)
	ORDER BY k.changed DESC, k.id DESC
	LIMIT CASE WHEN w."limit" OPERATOR(pg_catalog.>) 0::bigint THEN w."limit" END
) AS c
ORDER BY c.changed DESC, c.id DESC
