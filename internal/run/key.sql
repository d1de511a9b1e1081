-- The best key of the table $1 to go along: a unique btree index over NOT NULL columns, in the order of their types' own operators. One row
-- of JSON, or none. Row comparison takes one operator for all columns, so they must agree on its name and schema, and the index goes through
-- them in one direction. Money and OIDs that are written as names are no keys: what their text means depends on settings and on the catalog.
SELECT pg_catalog.json_build_object('columns', k.columns, 'types', k.types, 'less', k.less, 'at_most', k.at_most, 'more', k.more)
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) c.relam
CROSS JOIN LATERAL (
	SELECT pg_catalog.json_agg(a.attname ORDER BY u.place) AS columns,
		pg_catalog.json_agg(pg_catalog.format('%I.%I', tn.nspname, t.typname) ORDER BY u.place) AS types,
		pg_catalog.count(DISTINCT u.option OPERATOR(pg_catalog.&) 1::pg_catalog.int2) AS directions,
		pg_catalog.min(o.less) AS less, pg_catalog.min(o.at_most) AS at_most, pg_catalog.min(o.more) AS more,
		pg_catalog.count(*) AS usable, pg_catalog.count(DISTINCT pg_catalog.concat(o.less, o.at_most, o.more)) AS kinds
	FROM ROWS FROM (pg_catalog.unnest(i.indkey::pg_catalog.int2[]), pg_catalog.unnest(i.indclass::pg_catalog.oid[]),
		pg_catalog.unnest(i.indcollation::pg_catalog.oid[]), pg_catalog.unnest(i.indoption::pg_catalog.int2[])) WITH ORDINALITY AS u(num, class, sorted, option, place)
	JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid AND a.attnum OPERATOR(pg_catalog.=) u.num
	JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
	JOIN pg_catalog.pg_namespace AS tn ON tn.oid OPERATOR(pg_catalog.=) t.typnamespace
	JOIN pg_catalog.pg_opclass AS p ON p.oid OPERATOR(pg_catalog.=) u.class
	CROSS JOIN LATERAL (
		SELECT pg_catalog.max(w.operator) FILTER (WHERE w.strategy OPERATOR(pg_catalog.=) 1::pg_catalog.int2) AS less,
			pg_catalog.max(w.operator) FILTER (WHERE w.strategy OPERATOR(pg_catalog.=) 2::pg_catalog.int2) AS at_most,
			pg_catalog.max(w.operator) FILTER (WHERE w.strategy OPERATOR(pg_catalog.=) 5::pg_catalog.int2) AS more
		FROM (SELECT s.amopstrategy AS strategy, pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) AS operator
			FROM pg_catalog.pg_amop AS s
			JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) s.amopopr
			JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace
			WHERE s.amopfamily OPERATOR(pg_catalog.=) p.opcfamily AND s.amoplefttype OPERATOR(pg_catalog.=) p.opcintype
			AND s.amoprighttype OPERATOR(pg_catalog.=) p.opcintype AND s.amoppurpose OPERATOR(pg_catalog.=) 's') AS w) AS o
	WHERE u.place OPERATOR(pg_catalog.<=) i.indnkeyatts::pg_catalog.int8
	AND a.attnotnull AND p.opcdefault AND u.sorted OPERATOR(pg_catalog.=) a.attcollation
	AND t.typtype OPERATOR(pg_catalog.<>) 'c' AND t.oid OPERATOR(pg_catalog.<>) 'pg_catalog.money'::pg_catalog.regtype
	AND NOT t.typname OPERATOR(pg_catalog.^@) 'reg') AS k
WHERE i.indrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND m.amname OPERATOR(pg_catalog.=) 'btree'
AND i.indisunique AND i.indisvalid AND i.indisready AND i.indpred IS NULL
AND k.usable OPERATOR(pg_catalog.=) i.indnkeyatts::pg_catalog.int8 AND k.kinds OPERATOR(pg_catalog.=) 1::pg_catalog.int8
AND k.directions OPERATOR(pg_catalog.=) 1::pg_catalog.int8
ORDER BY i.indisprimary DESC, i.indnkeyatts, c.relname
LIMIT 1
