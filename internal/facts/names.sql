-- What the names of types and functions that a statement uses mean, and the casts among the types: one row, one column of base64 of UTF-8 JSON. The
-- parameter is that of resolve.sql; of its entries types, functions, collations and changed matter here. It obeys the rules of resolve.sql. Types are looked
-- up in pg_type, since to_regtype raises for one that is not finished.
WITH RECURSIVE
session AS MATERIALIZED (
  SELECT pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text::pg_catalog.int8 AS xid,
         pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::pg_catalog.int8 AS horizon
),
wanted AS MATERIALIZED (
  SELECT w.number, w.types, w.functions, w.collations, w.changed,
         CASE WHEN w.changed IS NOT NULL AND NOT h.hidden THEN pg_catalog.to_regclass(w.name)::pg_catalog.oid END AS oid
    FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json)
         AS w(number pg_catalog.int4, name pg_catalog.text, schema pg_catalog.text,
              types pg_catalog.json, functions pg_catalog.json, collations pg_catalog.json, changed pg_catalog.json)
   CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace n
                                       WHERE n.nspname OPERATOR(pg_catalog.=) w.schema::pg_catalog.name
                                         AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')) AS hidden) h
   WHERE w.number OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) w.number
),
-- Each name of a type with what it is: an array stands for its own type.
asked AS MATERIALIZED (
  SELECT a.schema, a.name, a."array", CASE WHEN a."array" THEN t.typarray ELSE t.oid END AS oid
    FROM wanted w
   CROSS JOIN LATERAL pg_catalog.json_to_recordset(w.types) AS a(schema pg_catalog.text, name pg_catalog.text, "array" pg_catalog.bool)
    LEFT JOIN (pg_catalog.pg_type t
               JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace)
           ON t.typname OPERATOR(pg_catalog.=) a.name::pg_catalog.name
          AND CASE WHEN a.schema OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_type_is_visible(t.oid)
                   ELSE n.nspname OPERATOR(pg_catalog.=) a.schema::pg_catalog.name END
   WHERE a.name OPERATOR(pg_catalog.||) '' OPERATOR(pg_catalog.=) a.name -- see resolve.sql: so that few are expected
),
root AS MATERIALIZED (
  SELECT a.oid FROM asked a WHERE a.oid IS NOT NULL
   UNION
  SELECT t.atttypid
    FROM wanted w
   CROSS JOIN LATERAL pg_catalog.json_array_elements_text(w.changed) AS c(name)
    JOIN pg_catalog.pg_attribute t ON t.attrelid OPERATOR(pg_catalog.=) w.oid AND t.attname OPERATOR(pg_catalog.=) c.name::pg_catalog.name
                                  AND NOT t.attisdropped
   WHERE c.name OPERATOR(pg_catalog.||) '' OPERATOR(pg_catalog.=) c.name
),
-- Domains down to their base; the modifier is that of the last domain.
chain AS (
  SELECT r.oid AS root, r.oid, (-1)::pg_catalog.int4 AS typmod, 0 AS depth FROM root r
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
),
-- All types between which a cast could matter: the bases, and the elements of arrays.
kin AS MATERIALIZED (
  SELECT b.oid FROM base b
   UNION
  SELECT t.typelem FROM base b JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) b.oid WHERE t.typelem OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
),
-- Every default operator class that could be the type's, the best first: its own, one of a preferred type that is binary coercible, any such.
class AS MATERIALIZED (
  SELECT DISTINCT ON (b.oid, o.opcmethod) b.oid AS type, o.opcmethod, o.oid
    FROM (SELECT DISTINCT b.oid FROM base b WHERE EXISTS (SELECT FROM wanted w WHERE w.changed IS NOT NULL)) b
    JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) b.oid
    JOIN pg_catalog.pg_opclass o ON o.opcdefault
    JOIN pg_catalog.pg_type i ON i.oid OPERATOR(pg_catalog.=) o.opcintype
    LEFT JOIN pg_catalog.pg_cast k ON k.castsource OPERATOR(pg_catalog.=) b.oid AND k.casttarget OPERATOR(pg_catalog.=) o.opcintype
                                  AND k.castmethod OPERATOR(pg_catalog.=) 'b'::pg_catalog."char"
                                  AND k.castcontext OPERATOR(pg_catalog.=) 'i'::pg_catalog."char"
   WHERE o.opcintype OPERATOR(pg_catalog.=) b.oid
      OR k.oid IS NOT NULL
      -- anyarray, anyenum, anyrange, anymultirange, record
      OR o.opcintype OPERATOR(pg_catalog.=) 2277::pg_catalog.oid AND t.typcategory OPERATOR(pg_catalog.=) 'A'::pg_catalog."char"
      OR o.opcintype OPERATOR(pg_catalog.=) 3500::pg_catalog.oid AND t.typtype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char"
      OR o.opcintype OPERATOR(pg_catalog.=) 3831::pg_catalog.oid AND t.typtype OPERATOR(pg_catalog.=) 'r'::pg_catalog."char"
      OR o.opcintype OPERATOR(pg_catalog.=) 4537::pg_catalog.oid AND t.typtype OPERATOR(pg_catalog.=) 'm'::pg_catalog."char"
      OR o.opcintype OPERATOR(pg_catalog.=) 2249::pg_catalog.oid AND t.typtype OPERATOR(pg_catalog.=) 'c'::pg_catalog."char"
   ORDER BY b.oid, o.opcmethod, o.opcintype OPERATOR(pg_catalog.<>) b.oid, NOT (i.typispreferred AND i.typcategory OPERATOR(pg_catalog.=) t.typcategory)
),
described AS MATERIALIZED (
  SELECT r.oid, pg_catalog.json_build_object(
           'oid', t.oid::pg_catalog.int8, 'schema', n.nspname, 'name', t.typname, 'kind', t.typtype, 'category', t.typcategory,
           'element', CASE WHEN t.typcategory OPERATOR(pg_catalog.=) 'A'::pg_catalog."char" THEN t.typelem::pg_catalog.int8 ELSE 0 END,
           'array', t.typarray::pg_catalog.int8,
           'base', b.oid::pg_catalog.int8, 'base_text', pg_catalog.format_type(b.oid, b.typmod), 'base_mod', b.typmod,
           'constrained', EXISTS (
              SELECT FROM chain c
                JOIN pg_catalog.pg_type d ON d.oid OPERATOR(pg_catalog.=) c.oid
               WHERE c.root OPERATOR(pg_catalog.=) r.oid AND d.typtype OPERATOR(pg_catalog.=) 'd'::pg_catalog."char"
                 AND (d.typnotnull OR EXISTS (SELECT FROM pg_catalog.pg_constraint k
                                               WHERE k.contypid OPERATOR(pg_catalog.=) d.oid AND k.contype OPERATOR(pg_catalog.=) 'c'::pg_catalog."char"))),
           'constraints', (
              SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', k.conname, 'type', k.contype, 'validated', k.convalidated) ORDER BY k.conname)
                FROM pg_catalog.pg_constraint k
               WHERE k.contypid OPERATOR(pg_catalog.=) t.oid AND t.typtype OPERATOR(pg_catalog.=) 'd'::pg_catalog."char"),
           'has_default', t.typdefault IS NOT NULL,
           'default_volatile', t.typdefaultbin IS NOT NULL AND EXISTS (
              SELECT FROM pg_catalog.regexp_matches(t.typdefaultbin::pg_catalog.text, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS f(id)
                JOIN pg_catalog.pg_proc o ON o.oid OPERATOR(pg_catalog.=) f.id[1]::pg_catalog.oid
               WHERE o.provolatile OPERATOR(pg_catalog.=) 'v'::pg_catalog."char"),
           'collation', t.typcollation::pg_catalog.int8,
           'classes', (SELECT pg_catalog.json_object_agg(y.amname, c.oid::pg_catalog.int8)
                         FROM class c JOIN pg_catalog.pg_am y ON y.oid OPERATOR(pg_catalog.=) c.opcmethod
                        WHERE c.type OPERATOR(pg_catalog.=) b.oid),
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
               LIMIT 1), false),
           'owner', pg_catalog.pg_get_userbyid(t.typowner),
           'may_alter', COALESCE(pg_catalog.pg_has_role(t.typowner, 'USAGE'), false)
         ) AS json
    FROM root r
    JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) r.oid
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
    JOIN base b ON b.root OPERATOR(pg_catalog.=) r.oid
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
       WHERE e.enumtypid OPERATOR(pg_catalog.=) t.oid) l
)
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
  'asked', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('schema', a.schema, 'name', a.name, 'array', a."array", 'oid', a.oid::pg_catalog.int8)) FROM asked a),
  'types', (SELECT pg_catalog.json_agg(d.json) FROM described d),
  'casts', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'source', k.castsource::pg_catalog.int8, 'target', k.casttarget::pg_catalog.int8, 'method', k.castmethod, 'context', k.castcontext))
       FROM kin s
      CROSS JOIN kin t
       JOIN pg_catalog.pg_cast k ON k.castsource OPERATOR(pg_catalog.=) s.oid AND k.casttarget OPERATOR(pg_catalog.=) t.oid),
  'collations', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object('schema', f.schema, 'name', f.name, 'oid', l.oid::pg_catalog.int8))
       FROM wanted w
      CROSS JOIN LATERAL pg_catalog.json_to_recordset(w.collations) AS f(schema pg_catalog.text, name pg_catalog.text)
       JOIN pg_catalog.pg_collation l ON l.collname OPERATOR(pg_catalog.=) f.name::pg_catalog.name
       JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) l.collnamespace
      WHERE l.collencoding OPERATOR(pg_catalog.=) ANY (ARRAY[-1, (SELECT d.encoding FROM pg_catalog.pg_database d
                                                                  WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())])
        AND CASE WHEN f.schema OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_collation_is_visible(l.oid)
                 ELSE n.nspname OPERATOR(pg_catalog.=) f.schema::pg_catalog.name END),
  -- Does the session's time zone read every time as UTC does? Looked at month by month, before local mean times ended and beyond today's rules; only
  -- for a change of timestamp (1114) or timestamptz (1184).
  'utc', EXISTS (SELECT FROM base b WHERE b.oid OPERATOR(pg_catalog.=) ANY (ARRAY[1114, 1184]::pg_catalog.oid[]))
         AND EXISTS (SELECT FROM wanted w WHERE w.changed IS NOT NULL)
         AND NOT EXISTS (
            SELECT FROM pg_catalog.generate_series('1800-01-01 00:00:00'::pg_catalog.timestamp, '2100-01-01 00:00:00', '1 month'::pg_catalog.interval) AS m(t)
             WHERE pg_catalog.timezone(pg_catalog.current_setting('TimeZone'), m.t) OPERATOR(pg_catalog.<>) pg_catalog.timezone('UTC', m.t)),
  'functions', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object('schema', f.schema, 'name', f.name, 'volatile', v.volatile, 'system', COALESCE(v.system, false)))
       FROM wanted w
      CROSS JOIN LATERAL pg_catalog.json_to_recordset(w.functions) AS f(schema pg_catalog.text, name pg_catalog.text)
      CROSS JOIN LATERAL (
         -- The letters are in the order of harm: i, s, v.
         SELECT pg_catalog.max(p.provolatile::pg_catalog.text) AS volatile, pg_catalog.bool_and(n.nspname OPERATOR(pg_catalog.=) 'pg_catalog') AS system
           FROM pg_catalog.pg_proc p
           JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
          WHERE p.proname OPERATOR(pg_catalog.=) f.name::pg_catalog.name
            AND CASE WHEN f.schema OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_function_is_visible(p.oid)
                     ELSE n.nspname OPERATOR(pg_catalog.=) f.schema::pg_catalog.name END) v
      WHERE f.name OPERATOR(pg_catalog.||) '' OPERATOR(pg_catalog.=) f.name)
)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
