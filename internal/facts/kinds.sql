-- What there is to know of types beyond types.sql: of domains, enums, and what this transaction may have made; and whether the session's time zone reads every time as UTC does. One
-- row, one column of base64 of UTF-8 JSON, by the rules of resolve.sql. The parameter is hex of JSON: the OIDs of the types, and whether the time zone is asked about.
WITH RECURSIVE
session AS MATERIALIZED (
  SELECT pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json AS asked,
         pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text::pg_catalog.int8 AS xid,
         pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::pg_catalog.int8 AS horizon
),
-- Domains down to their base; the modifier is that of the last domain.
chain AS (
  SELECT a.oid::pg_catalog.oid AS root, a.oid::pg_catalog.oid AS oid, (-1)::pg_catalog.int4 AS typmod, 0 AS depth
    FROM session s
   CROSS JOIN LATERAL pg_catalog.json_array_elements_text(s.asked OPERATOR(pg_catalog.->) 'types') AS a(oid)
   WHERE a.oid OPERATOR(pg_catalog.||) '' OPERATOR(pg_catalog.=) a.oid -- see resolve.sql: so that few are expected
   UNION ALL
  SELECT c.root, t.typbasetype, t.typtypmod, c.depth OPERATOR(pg_catalog.+) 1
    FROM chain c
   -- OFFSET keeps the planner from reading all of pg_type once per query instead of one row per type.
   CROSS JOIN LATERAL (SELECT t.typbasetype, t.typtypmod
                         FROM pg_catalog.pg_type t
                        WHERE t.oid OPERATOR(pg_catalog.=) c.oid AND t.typtype OPERATOR(pg_catalog.=) 'd'::pg_catalog."char"
                       OFFSET 0) t
),
base AS MATERIALIZED (
  SELECT DISTINCT ON (c.root) c.root, c.oid, c.typmod
    FROM chain c
   WHERE c.depth OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) c.depth
   ORDER BY c.root, c.depth DESC
)
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
  'types', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'oid', t.oid::pg_catalog.int8,
              'base', b.oid::pg_catalog.int8, 'base_text', pg_catalog.format_type(b.oid, b.typmod), 'base_mod', b.typmod,
              'constrained', EXISTS (
                 SELECT FROM chain c
                   JOIN pg_catalog.pg_type d ON d.oid OPERATOR(pg_catalog.=) c.oid
                  WHERE c.root OPERATOR(pg_catalog.=) t.oid AND d.typtype OPERATOR(pg_catalog.=) 'd'::pg_catalog."char"
                    AND (d.typnotnull OR COALESCE(( -- an aggregate: for EXISTS the planner hopes to find one soon and reads all constraints
                       SELECT pg_catalog.bool_or(k.contype OPERATOR(pg_catalog.=) 'c'::pg_catalog."char")
                         FROM pg_catalog.pg_constraint k WHERE k.contypid OPERATOR(pg_catalog.=) d.oid), false))),
              'constraints', (
                 SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', k.conname, 'type', k.contype, 'validated', k.convalidated) ORDER BY k.conname)
                   FROM pg_catalog.pg_constraint k
                  WHERE k.contypid OPERATOR(pg_catalog.=) t.oid AND t.typtype OPERATOR(pg_catalog.=) 'd'::pg_catalog."char"),
              'default_volatile', t.typdefaultbin IS NOT NULL AND EXISTS (
                 SELECT FROM pg_catalog.regexp_matches(t.typdefaultbin::pg_catalog.text, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS f(id)
                   JOIN pg_catalog.pg_proc o ON o.oid OPERATOR(pg_catalog.=) f.id[1]::pg_catalog.oid
                  WHERE o.provolatile OPERATOR(pg_catalog.=) 'v'::pg_catalog."char"),
              'labels', l.labels, 'new_labels', l.new,
              'created_here', COALESCE((
                 -- The dependence on the schema is written when the type is made; pg_type's own row by every ALTER and GRANT.
                 SELECT CASE WHEN a.ahead OPERATOR(pg_catalog.>=) 2147483648 THEN false
                             WHEN s.xid OPERATOR(pg_catalog.+) a.ahead OPERATOR(pg_catalog.<) s.horizon
                             THEN pg_catalog.pg_xact_status((s.xid OPERATOR(pg_catalog.+) a.ahead)::pg_catalog.text::pg_catalog.xid8) OPERATOR(pg_catalog.=) 'in progress'
                             ELSE s.xid OPERATOR(pg_catalog.+) a.ahead OPERATOR(pg_catalog.-) GREATEST(s.xid, s.horizon) OPERATOR(pg_catalog.<) 4096 END
                   FROM pg_catalog.pg_depend d
                  CROSS JOIN session s
                  CROSS JOIN LATERAL (SELECT (d.xmin::pg_catalog.text::pg_catalog.int8 OPERATOR(pg_catalog.-) s.xid) OPERATOR(pg_catalog.&) 4294967295 AS ahead) a
                  WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid AND d.objid OPERATOR(pg_catalog.=) t.oid
                    AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid AND s.xid IS NOT NULL
                  LIMIT 1), false)))
       FROM base b
       JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) b.root
      CROSS JOIN LATERAL (
         -- A label's row is written when it is added, and when it is renamed: both cannot be relied on before COMMIT.
         SELECT pg_catalog.json_agg(e.enumlabel ORDER BY e.enumsortorder) AS labels,
                pg_catalog.json_agg(e.enumlabel ORDER BY e.enumsortorder) FILTER (WHERE
                   CASE WHEN s.xid IS NULL OR a.ahead OPERATOR(pg_catalog.>=) 2147483648 THEN false
                        WHEN s.xid OPERATOR(pg_catalog.+) a.ahead OPERATOR(pg_catalog.<) s.horizon
                        THEN pg_catalog.pg_xact_status((s.xid OPERATOR(pg_catalog.+) a.ahead)::pg_catalog.text::pg_catalog.xid8) OPERATOR(pg_catalog.=) 'in progress'
                        ELSE s.xid OPERATOR(pg_catalog.+) a.ahead OPERATOR(pg_catalog.-) GREATEST(s.xid, s.horizon) OPERATOR(pg_catalog.<) 4096 END) AS new
           FROM pg_catalog.pg_enum e
          CROSS JOIN session s
          CROSS JOIN LATERAL (SELECT (e.xmin::pg_catalog.text::pg_catalog.int8 OPERATOR(pg_catalog.-) s.xid) OPERATOR(pg_catalog.&) 4294967295 AS ahead) a
          WHERE e.enumtypid OPERATOR(pg_catalog.=) t.oid) l),
  -- It is looked at month by month, before local mean times ended and beyond today's rules.
  'utc', (SELECT (s.asked OPERATOR(pg_catalog.->>) 'utc')::pg_catalog.bool FROM session s) AND NOT EXISTS (
     SELECT FROM pg_catalog.generate_series('1800-01-01 00:00:00'::pg_catalog.timestamp, '2100-01-01 00:00:00', '1 month'::pg_catalog.interval) AS m(t)
      WHERE pg_catalog.timezone(pg_catalog.current_setting('TimeZone'), m.t) OPERATOR(pg_catalog.<>) pg_catalog.timezone('UTC', m.t))
)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
