-- What depends on the relations, types, functions and schemas that a statement names: one row, one column of base64 of UTF-8 JSON. The parameter is that
-- of resolve.sql; of its entries those with dependents, users or schemas matter here. It obeys the rules of resolve.sql. pg_depend is read
-- and not pg_constraint or pg_attribute, which have no index for the way back.
WITH RECURSIVE
session AS MATERIALIZED (
  SELECT pg_catalog.current_setting('block_size')::pg_catalog.float8 AS block,
         pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text::pg_catalog.int8 AS xid,
         pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::pg_catalog.int8 AS horizon
),
wanted AS MATERIALIZED (
  SELECT w.number, w.types, w.functions, w.schemas, w.users,
         CASE WHEN w.dependents AND NOT h.hidden THEN pg_catalog.to_regclass(w.name)::pg_catalog.oid END AS oid
    FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json)
         AS w(number pg_catalog.int4, name pg_catalog.text, schema pg_catalog.text, dependents pg_catalog.bool, users pg_catalog.bool,
              types pg_catalog.json, functions pg_catalog.json, schemas pg_catalog.json)
   CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace n
                                       WHERE n.nspname OPERATOR(pg_catalog.=) w.schema::pg_catalog.name
                                         AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')) AS hidden) h
   WHERE w.number OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) w.number
),
relation AS MATERIALIZED (
  SELECT c.oid, c.reltype, c.relnamespace, c.relkind, c.relispartition, c.relpersistence, c.relowner, c.relacl
    FROM (SELECT DISTINCT w.oid FROM wanted w WHERE w.oid IS NOT NULL) w
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) w.oid
),
type AS MATERIALIZED (
  SELECT DISTINCT CASE WHEN a."array" THEN t.typarray ELSE t.oid END AS oid
    FROM wanted w
   CROSS JOIN LATERAL pg_catalog.json_to_recordset(w.types) AS a(schema pg_catalog.text, name pg_catalog.text, "array" pg_catalog.bool)
    JOIN pg_catalog.pg_type t ON t.typname OPERATOR(pg_catalog.=) a.name::pg_catalog.name
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
   WHERE w.users
     AND CASE WHEN a.schema OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_type_is_visible(t.oid)
              ELSE n.nspname OPERATOR(pg_catalog.=) a.schema::pg_catalog.name END
     AND a.name OPERATOR(pg_catalog.||) '' OPERATOR(pg_catalog.=) a.name
),
routine AS MATERIALIZED (
  SELECT p.oid, f.schema, f.name
    FROM wanted w
   CROSS JOIN LATERAL pg_catalog.json_to_recordset(w.functions) AS f(schema pg_catalog.text, name pg_catalog.text)
    JOIN pg_catalog.pg_proc p ON p.proname OPERATOR(pg_catalog.=) f.name::pg_catalog.name
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
   WHERE w.users
     AND CASE WHEN f.schema OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_function_is_visible(p.oid)
              ELSE n.nspname OPERATOR(pg_catalog.=) f.schema::pg_catalog.name END
     AND f.name OPERATOR(pg_catalog.||) '' OPERATOR(pg_catalog.=) f.name
),
schema AS MATERIALIZED (
  SELECT n.oid, n.nspname, n.nspowner, n.xmin
    FROM wanted w
   CROSS JOIN LATERAL pg_catalog.json_array_elements_text(w.schemas) AS a(name)
    JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) a.name::pg_catalog.name
   WHERE a.name OPERATOR(pg_catalog.||) '' OPERATOR(pg_catalog.=) a.name
),
-- A type, arrays of it, domains, ranges and composite types over it. For the arrays and the depths see tree.sql.
over AS (
  SELECT t.oid AS root, t.oid, 0 AS depth FROM type t
   UNION
  SELECT o.root, u.oid, o.depth OPERATOR(pg_catalog.+) 1
    FROM over o
   CROSS JOIN LATERAL pg_catalog.unnest(ARRAY(
      SELECT d.objid
        FROM pg_catalog.pg_depend d
       WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid AND d.refobjid OPERATOR(pg_catalog.=) o.oid
         AND d.classid OPERATOR(pg_catalog.=) d.refclassid
       UNION ALL
      SELECT c.reltype
        FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) d.objid AND c.reltype OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
       WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid AND d.refobjid OPERATOR(pg_catalog.=) o.oid
         AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AND d.objsubid OPERATOR(pg_catalog.>) 0)) AS u(oid)
   WHERE o.depth OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) o.depth AND o.depth OPERATOR(pg_catalog.<) 32
),
-- Views over views, at all depths.
view AS (
  SELECT r.oid AS root, r.oid, 0 AS depth FROM relation r
   UNION
  SELECT v.root, u.oid, v.depth OPERATOR(pg_catalog.+) 1
    FROM view v
   CROSS JOIN LATERAL pg_catalog.unnest(ARRAY(
      SELECT DISTINCT w.ev_class
        FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_rewrite w ON w.oid OPERATOR(pg_catalog.=) d.objid
       WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AND d.refobjid OPERATOR(pg_catalog.=) v.oid
         AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass::pg_catalog.oid
         AND w.ev_class OPERATOR(pg_catalog.<>) v.oid AND w.rulename OPERATOR(pg_catalog.=) '_RETURN')) AS u(oid)
   WHERE v.depth OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) v.depth AND v.depth OPERATOR(pg_catalog.<) 32
),
-- What pg_depend says, of the relations, their row types, the views over them, and the functions.
depend AS MATERIALIZED (
  SELECT o.kind, o.root, o.refobjid, o.indirect, d.classid, d.objid, d.objsubid, d.refobjsubid,
         pg_catalog.bool_and(d.deptype OPERATOR(pg_catalog.<>) 'n'::pg_catalog."char") AS auto
    FROM (SELECT 'r' AS kind, v.root, pg_catalog.min(v.depth) OPERATOR(pg_catalog.>) 0 AS indirect,
                 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS refclassid, v.oid AS refobjid
            FROM view v
           WHERE v.depth OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) v.depth
           GROUP BY v.root, v.oid
           UNION ALL
          SELECT 'r', r.oid, false, 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, t.oid
            FROM relation r
            JOIN pg_catalog.pg_type y ON y.oid OPERATOR(pg_catalog.=) r.reltype
            JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) ANY (ARRAY[y.oid, y.typarray])
           UNION ALL
          SELECT DISTINCT 'f', p.oid, false, 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid, p.oid FROM routine p) o
   CROSS JOIN LATERAL (
      SELECT d.classid, d.objid, d.objsubid, d.refobjsubid, d.deptype
        FROM pg_catalog.pg_depend d
       WHERE d.refclassid OPERATOR(pg_catalog.=) o.refclassid AND d.refobjid OPERATOR(pg_catalog.=) o.refobjid
         AND d.deptype OPERATOR(pg_catalog.<>) 'p'::pg_catalog."char" -- pinned by the system, before 14
      OFFSET 0) d
   GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
),
-- The foreign keys that reference the relations; those that are a partition's copy of its parent's are left out.
reference AS MATERIALIZED (
  SELECT DISTINCT d.root, NULL::pg_catalog.oid AS schema, k.oid, k.conname, k.conrelid, k.confrelid, k.convalidated, k.conkey, k.confkey,
         k.confdeltype, k.confupdtype, k.conindid
    FROM depend d
    JOIN pg_catalog.pg_constraint k ON k.oid OPERATOR(pg_catalog.=) d.objid
   WHERE d.kind OPERATOR(pg_catalog.=) 'r' AND NOT d.indirect
     AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_constraint'::pg_catalog.regclass::pg_catalog.oid
     AND k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char" AND k.confrelid OPERATOR(pg_catalog.=) d.root
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint p
                      WHERE p.oid OPERATOR(pg_catalog.=) k.conparentid AND p.confrelid OPERATOR(pg_catalog.=) k.confrelid)
   UNION ALL
  SELECT NULL::pg_catalog.oid, s.oid, k.oid, k.conname, k.conrelid, k.confrelid, k.convalidated, k.conkey, k.confkey, k.confdeltype, k.confupdtype, k.conindid
    FROM schema s
   CROSS JOIN LATERAL (
      SELECT k.*
        FROM pg_catalog.pg_class p
        JOIN pg_catalog.pg_constraint k ON k.confrelid OPERATOR(pg_catalog.=) p.oid AND k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char"
                                       AND k.conparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
        JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) k.conrelid AND c.relnamespace OPERATOR(pg_catalog.<>) s.oid
       WHERE p.relnamespace OPERATOR(pg_catalog.=) s.oid
      OFFSET 0) k
   WHERE k.convalidated::pg_catalog.int4 OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) k.convalidated::pg_catalog.int4 -- see resolve.sql: so that few are expected
),
-- The stored columns of the types.
usage AS MATERIALIZED (
  SELECT DISTINCT o.root, a.attrelid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type
    FROM (SELECT DISTINCT o.root, o.oid FROM over o WHERE o.depth OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) o.depth) o
   CROSS JOIN LATERAL (
      SELECT d.objid, d.objsubid
        FROM pg_catalog.pg_depend d
       WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid AND d.refobjid OPERATOR(pg_catalog.=) o.oid
         AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AND d.objsubid OPERATOR(pg_catalog.>) 0
      OFFSET 0) d
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) d.objid AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'm', 'f']::pg_catalog."char"[])
    JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) d.objid AND a.attnum OPERATOR(pg_catalog.=) d.objsubid AND NOT a.attisdropped
),
-- Tables to measure: as in relations.sql, what could not be opened without a wait has no size, and a partitioned table has that of its partitions.
measured AS MATERIALIZED (
  SELECT r.conrelid AS oid FROM reference r UNION SELECT u.attrelid FROM usage u
),
tree AS (
  SELECT m.oid AS root, m.oid, 0 AS depth FROM measured m
   UNION
  SELECT t.root, h.inhrelid, t.depth OPERATOR(pg_catalog.+) 1
    FROM tree t
   CROSS JOIN LATERAL pg_catalog.unnest(ARRAY(
      SELECT h.inhrelid
        FROM pg_catalog.pg_class p
        JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) p.oid
       WHERE p.oid OPERATOR(pg_catalog.=) t.oid AND p.relhassubclass)) AS h(inhrelid)
   WHERE t.depth OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) t.depth
),
busy AS MATERIALIZED (
  SELECT l.relation AS oid, i.indrelid AS "table"
    FROM pg_catalog.pg_locks l
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid OPERATOR(pg_catalog.=) l.relation
   WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock'
     AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
     AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
),
size AS MATERIALIZED (
  SELECT t.root,
         CASE WHEN pg_catalog.bool_and(e.rows IS NOT NULL) THEN pg_catalog.sum(e.rows) END AS rows,
         CASE WHEN pg_catalog.bool_and(e.bytes IS NOT NULL) THEN pg_catalog.sum(e.bytes) END AS bytes,
         pg_catalog.bool_and(COALESCE(e.main OPERATOR(pg_catalog.=) 0, false) AND e.relkind OPERATOR(pg_catalog.<>) 'f'::pg_catalog."char") AS empty,
         pg_catalog.bool_or(e.relkind OPERATOR(pg_catalog.=) 'f'::pg_catalog."char") AS strange
    FROM (SELECT DISTINCT t.root, t.oid FROM tree t) t
   CROSS JOIN LATERAL (
      SELECT c.relkind, x.main, x.bytes,
             CASE WHEN x.main OPERATOR(pg_catalog.=) 0 THEN 0
                  WHEN c.relpages OPERATOR(pg_catalog.>) 0 AND c.reltuples OPERATOR(pg_catalog.>) 0
                  THEN pg_catalog.ceil(c.reltuples::pg_catalog.float8 OPERATOR(pg_catalog./) c.relpages::pg_catalog.float8
                                       OPERATOR(pg_catalog.*) (x.main::pg_catalog.float8 OPERATOR(pg_catalog./) s.block))
             END AS rows
        FROM pg_catalog.pg_class c
       CROSS JOIN session s
       CROSS JOIN LATERAL (SELECT c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'm']::pg_catalog."char"[]) AS stored,
                                  EXISTS (SELECT FROM busy b WHERE b.oid OPERATOR(pg_catalog.=) c.oid OR b."table" OPERATOR(pg_catalog.=) c.oid
                                                                OR b.oid OPERATOR(pg_catalog.=) c.reltoastrelid) AS busy) y
       CROSS JOIN LATERAL (SELECT CASE WHEN NOT y.stored THEN 0 WHEN NOT y.busy THEN pg_catalog.pg_relation_size(c.oid, 'main') END AS main,
                                  CASE WHEN NOT y.stored THEN 0 WHEN NOT y.busy THEN pg_catalog.pg_table_size(c.oid) END AS bytes
                           OFFSET 0) x
       WHERE c.oid OPERATOR(pg_catalog.=) t.oid
      OFFSET 0) e
   GROUP BY t.root
),
-- Made by this very transaction: see transaction.sql.
tables AS MATERIALIZED (
  SELECT c.oid, pg_catalog.json_build_object(
           'oid', c.oid::pg_catalog.int8, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'persistence', c.relpersistence,
           'owner', pg_catalog.pg_get_userbyid(c.relowner), 'may_alter', COALESCE(pg_catalog.pg_has_role(c.relowner, 'USAGE'), false),
           'readable', COALESCE(pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT pg_catalog.row_security_active(c.oid), false),
           'rows', COALESCE(z.rows, -1), 'bytes', COALESCE(z.bytes, -1), 'empty', COALESCE(z.empty, false), 'foreign', COALESCE(z.strange, false),
           'partition_of', CASE WHEN c.relispartition THEN (SELECT h.inhparent::pg_catalog.int8 FROM pg_catalog.pg_inherits h
                                                             WHERE h.inhrelid OPERATOR(pg_catalog.=) c.oid LIMIT 1) ELSE 0 END,
           'created_here', COALESCE((
              SELECT CASE WHEN d.ahead OPERATOR(pg_catalog.>=) 2147483648 THEN false
                          WHEN s.xid OPERATOR(pg_catalog.+) d.ahead OPERATOR(pg_catalog.<) s.horizon
                          THEN pg_catalog.pg_xact_status((s.xid OPERATOR(pg_catalog.+) d.ahead)::pg_catalog.text::pg_catalog.xid8) OPERATOR(pg_catalog.=) 'in progress'
                          ELSE s.xid OPERATOR(pg_catalog.+) d.ahead OPERATOR(pg_catalog.-) GREATEST(s.xid, s.horizon) OPERATOR(pg_catalog.<) 4096 END
                FROM pg_catalog.pg_attribute a
               CROSS JOIN session s
               CROSS JOIN LATERAL (SELECT (a.xmin::pg_catalog.text::pg_catalog.int8 OPERATOR(pg_catalog.-) s.xid) OPERATOR(pg_catalog.&) 4294967295 AS ahead) d
               WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.=) (-6)::pg_catalog.int2 AND s.xid IS NOT NULL
                 AND EXISTS (SELECT FROM pg_catalog.pg_locks l
                              WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.relation OPERATOR(pg_catalog.=) c.oid
                                AND l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock')), false)
         ) AS json
    FROM measured m
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) m.oid
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    LEFT JOIN size z ON z.root OPERATOR(pg_catalog.=) c.oid
),
referencing AS MATERIALIZED (
  SELECT r.root, r.schema, pg_catalog.json_agg(pg_catalog.json_build_object(
           'oid', r.oid::pg_catalog.int8, 'name', r.conname, 'table', t.json, 'validated', r.convalidated,
           'columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY y.place)
                         FROM pg_catalog.unnest(r.conkey) WITH ORDINALITY AS y(num, place)
                         JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) r.conrelid AND a.attnum OPERATOR(pg_catalog.=) y.num),
           'parent_columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY y.place)
                                FROM pg_catalog.unnest(r.confkey) WITH ORDINALITY AS y(num, place)
                                JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) r.confrelid AND a.attnum OPERATOR(pg_catalog.=) y.num),
           'on_delete', r.confdeltype, 'on_update', r.confupdtype, 'definition', pg_catalog.pg_get_constraintdef(r.oid), 'index', r.conindid::pg_catalog.int8,
           'covered', EXISTS (
              SELECT FROM pg_catalog.pg_index i
                JOIN pg_catalog.pg_class x ON x.oid OPERATOR(pg_catalog.=) i.indexrelid
                JOIN pg_catalog.pg_am y ON y.oid OPERATOR(pg_catalog.=) x.relam AND y.amname OPERATOR(pg_catalog.=) 'btree'
               WHERE i.indrelid OPERATOR(pg_catalog.=) r.conrelid AND i.indisvalid AND i.indpred IS NULL
                 AND i.indnkeyatts OPERATOR(pg_catalog.>=) pg_catalog.cardinality(r.conkey)
                 AND (i.indkey::pg_catalog.int2[])[0:pg_catalog.cardinality(r.conkey) OPERATOR(pg_catalog.-) 1] OPERATOR(pg_catalog.@>) r.conkey)
         ) ORDER BY t.oid, r.conname) AS json
    FROM reference r
    JOIN tables t ON t.oid OPERATOR(pg_catalog.=) r.conrelid
   GROUP BY r.root, r.schema
),
-- Each dependent object, by the catalog that it is in. What is known elsewhere (own constraints, indexes, triggers, policies), or is a mere part
-- (the TOAST table, the row type), is left out.
object AS MATERIALIZED (
  SELECT d.kind AS of, d.root, d.refobjid, d.refobjsubid, d.auto, d.indirect,
         CASE WHEN w.rulename OPERATOR(pg_catalog.<>) '_RETURN' THEN 'rule' WHEN c.relkind OPERATOR(pg_catalog.=) 'm'::pg_catalog."char" THEN 'materialized view' ELSE 'view' END AS kind,
         CASE WHEN w.rulename OPERATOR(pg_catalog.<>) '_RETURN' THEN w.oid ELSE c.oid END AS oid, c.relnamespace AS namespace,
         CASE WHEN w.rulename OPERATOR(pg_catalog.<>) '_RETURN' THEN w.rulename ELSE c.relname END AS name,
         CASE WHEN w.rulename OPERATOR(pg_catalog.<>) '_RETURN' THEN c.oid END AS "table"
    FROM depend d
    JOIN pg_catalog.pg_rewrite w ON w.oid OPERATOR(pg_catalog.=) d.objid
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) w.ev_class
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass::pg_catalog.oid AND w.ev_class OPERATOR(pg_catalog.<>) d.refobjid
   UNION ALL
  -- Sequences, partitions, children, tables with a column of the row type, an index that calls the function; 13 and 14 let the generated column itself depend.
  SELECT d.kind, d.root, d.refobjid, d.refobjsubid, d.auto, d.indirect,
         CASE WHEN c.oid OPERATOR(pg_catalog.=) d.root THEN 'generated column' WHEN c.relkind OPERATOR(pg_catalog.=) 'S'::pg_catalog."char" THEN 'sequence'
              WHEN c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['i', 'I']::pg_catalog."char"[]) THEN 'index' ELSE 'table' END,
         c.oid, c.relnamespace, CASE WHEN c.oid OPERATOR(pg_catalog.=) d.root THEN a.attname ELSE c.relname END,
         CASE WHEN c.oid OPERATOR(pg_catalog.=) d.root THEN c.oid END
    FROM depend d
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) d.objid
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) d.objid AND a.attnum OPERATOR(pg_catalog.=) d.objsubid
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
     AND CASE WHEN c.oid OPERATOR(pg_catalog.=) d.root THEN d.refobjsubid OPERATOR(pg_catalog.>) 0
              WHEN c.relkind OPERATOR(pg_catalog.=) 't'::pg_catalog."char" THEN false
              WHEN c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['i', 'I']::pg_catalog."char"[]) THEN d.kind OPERATOR(pg_catalog.=) 'f'
              ELSE true END
   UNION ALL
  SELECT d.kind, d.root, d.refobjid, d.refobjsubid, d.auto, d.indirect,
         CASE WHEN a.attgenerated OPERATOR(pg_catalog.=) ''::pg_catalog."char" THEN 'default' ELSE 'generated column' END,
         f.oid, c.relnamespace, a.attname, c.oid
    FROM depend d
    JOIN pg_catalog.pg_attrdef f ON f.oid OPERATOR(pg_catalog.=) d.objid
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) f.adrelid
    JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) f.adrelid AND a.attnum OPERATOR(pg_catalog.=) f.adnum
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass::pg_catalog.oid
     AND NOT (f.adrelid OPERATOR(pg_catalog.=) d.root AND d.refobjsubid OPERATOR(pg_catalog.=) f.adnum)
   UNION ALL
  SELECT d.kind, d.root, d.refobjid, d.refobjsubid, d.auto, d.indirect, 'constraint', k.oid, k.connamespace, k.conname, NULLIF(k.conrelid, 0::pg_catalog.oid)
    FROM depend d
    JOIN pg_catalog.pg_constraint k ON k.oid OPERATOR(pg_catalog.=) d.objid
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_constraint'::pg_catalog.regclass::pg_catalog.oid
     AND k.conrelid OPERATOR(pg_catalog.<>) d.root AND k.contype OPERATOR(pg_catalog.<>) 'f'::pg_catalog."char"
   UNION ALL
  SELECT d.kind, d.root, d.refobjid, d.refobjsubid, d.auto, d.indirect, 'trigger', g.oid, c.relnamespace, g.tgname, c.oid
    FROM depend d
    JOIN pg_catalog.pg_trigger g ON g.oid OPERATOR(pg_catalog.=) d.objid
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) g.tgrelid
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_trigger'::pg_catalog.regclass::pg_catalog.oid AND NOT g.tgisinternal
     AND NOT (g.tgrelid OPERATOR(pg_catalog.=) d.root AND d.refobjsubid OPERATOR(pg_catalog.=) 0)
   UNION ALL
  SELECT d.kind, d.root, d.refobjid, d.refobjsubid, d.auto, d.indirect, 'policy', p.oid, c.relnamespace, p.polname, c.oid
    FROM depend d
    JOIN pg_catalog.pg_policy p ON p.oid OPERATOR(pg_catalog.=) d.objid
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) p.polrelid
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_policy'::pg_catalog.regclass::pg_catalog.oid
     AND NOT (p.polrelid OPERATOR(pg_catalog.=) d.root AND d.refobjsubid OPERATOR(pg_catalog.=) 0)
   UNION ALL
  SELECT d.kind, d.root, d.refobjid, d.refobjsubid, d.auto, d.indirect, 'function', p.oid, p.pronamespace, p.proname, NULL
    FROM depend d
    JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) d.objid
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
   UNION ALL
  SELECT d.kind, d.root, d.refobjid, d.refobjsubid, d.auto, d.indirect, 'publication', p.oid, NULL, p.pubname, NULL
    FROM depend d
    JOIN pg_catalog.pg_publication_rel r ON r.oid OPERATOR(pg_catalog.=) d.objid
    JOIN pg_catalog.pg_publication p ON p.oid OPERATOR(pg_catalog.=) r.prpubid
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_publication_rel'::pg_catalog.regclass::pg_catalog.oid AND d.refobjsubid OPERATOR(pg_catalog.>) 0
   UNION ALL
  SELECT d.kind, d.root, d.refobjid, d.refobjsubid, d.auto, d.indirect, 'statistics', e.oid, e.stxnamespace, e.stxname, NULL
    FROM depend d
    JOIN pg_catalog.pg_statistic_ext e ON e.oid OPERATOR(pg_catalog.=) d.objid
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass::pg_catalog.oid
   UNION ALL
  SELECT d.kind, d.root, d.refobjid, d.refobjsubid, d.auto, d.indirect, 'other', d.objid, NULL, '', NULL
    FROM depend d
   WHERE d.classid OPERATOR(pg_catalog.<>) ALL (ARRAY['pg_catalog.pg_rewrite', 'pg_catalog.pg_class', 'pg_catalog.pg_attrdef', 'pg_catalog.pg_constraint',
           'pg_catalog.pg_trigger', 'pg_catalog.pg_policy', 'pg_catalog.pg_proc', 'pg_catalog.pg_publication_rel', 'pg_catalog.pg_statistic_ext',
           'pg_catalog.pg_type']::pg_catalog.regclass[]::pg_catalog.oid[])
),
objects AS MATERIALIZED (
  SELECT o.of, o.root, pg_catalog.json_agg(pg_catalog.json_build_object(
           'kind', o.kind, 'oid', o.oid::pg_catalog.int8, 'schema', COALESCE(n.nspname, ''), 'name', o.name,
           'column', CASE WHEN o.refobjid OPERATOR(pg_catalog.=) o.root THEN COALESCE(a.attname, '') ELSE '' END,
           'table', CASE WHEN c.oid IS NULL THEN '' ELSE pg_catalog.concat(pg_catalog.quote_ident(y.nspname), '.', pg_catalog.quote_ident(c.relname)) END,
           'auto', o.auto, 'indirect', o.indirect) ORDER BY o.indirect, o.kind, n.nspname, o.name, a.attnum) AS json
    FROM object o
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) o.namespace
    LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) o."table"
    LEFT JOIN pg_catalog.pg_namespace y ON y.oid OPERATOR(pg_catalog.=) c.relnamespace
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) o.refobjid AND a.attnum OPERATOR(pg_catalog.=) o.refobjsubid
                                       AND o.of OPERATOR(pg_catalog.=) 'r' AND o.refobjsubid OPERATOR(pg_catalog.>) 0
   GROUP BY o.of, o.root
)
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
  'relations', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'oid', r.oid::pg_catalog.int8,
              'references', (SELECT f.json FROM referencing f WHERE f.root OPERATOR(pg_catalog.=) r.oid),
              'objects', (SELECT o.json FROM objects o WHERE o.of OPERATOR(pg_catalog.=) 'r' AND o.root OPERATOR(pg_catalog.=) r.oid),
              'triggers', (
                 SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                          'oid', g.oid::pg_catalog.int8, 'name', g.tgname, 'enabled', g.tgenabled, 'bits', g.tgtype,
                          'constraint', g.tgconstraint OPERATOR(pg_catalog.<>) 0::pg_catalog.oid,
                          'function', pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(p.proname))) ORDER BY g.tgname)
                   FROM pg_catalog.pg_trigger g
                   JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) g.tgfoid
                   JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
                  WHERE g.tgrelid OPERATOR(pg_catalog.=) r.oid AND NOT g.tgisinternal),
              'policies', (
                 SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                          'oid', p.oid::pg_catalog.int8, 'name', p.polname, 'command', p.polcmd, 'permissive', p.polpermissive) ORDER BY p.polname)
                   FROM pg_catalog.pg_policy p
                  WHERE p.polrelid OPERATOR(pg_catalog.=) r.oid),
              'grants', (
                 SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                          'role', CASE WHEN g.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN '' ELSE pg_catalog.pg_get_userbyid(g.grantee) END,
                          'privilege', g.privilege_type, 'column', l.column, 'grantable', g.is_grantable) ORDER BY l.num, g.grantee OPERATOR(pg_catalog.<>) 0::pg_catalog.oid, pg_catalog.pg_get_userbyid(g.grantee), g.privilege_type)
                   FROM (SELECT 0 AS num, '' AS column, r.relacl AS acl
                          UNION ALL
                         SELECT a.attnum, a.attname, a.attacl
                           FROM pg_catalog.pg_attribute a
                          WHERE a.attrelid OPERATOR(pg_catalog.=) r.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped) l
                  CROSS JOIN LATERAL pg_catalog.aclexplode(l.acl) g
                  WHERE g.grantee OPERATOR(pg_catalog.<>) r.relowner),
              -- By table (its partitioned ancestors included), by schema (15 and later: pg_publication_namespace, by its OID), for all tables.
              'publications', (
                 SELECT pg_catalog.json_agg(p.pubname ORDER BY p.pubname)
                   FROM pg_catalog.pg_publication p
                  WHERE r.relpersistence OPERATOR(pg_catalog.=) 'p'::pg_catalog."char"
                    AND r.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
                    AND (p.puballtables
                     OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel l
                                 WHERE l.prpubid OPERATOR(pg_catalog.=) p.oid
                                   AND (l.prrelid OPERATOR(pg_catalog.=) r.oid
                                     OR r.relispartition AND l.prrelid OPERATOR(pg_catalog.=) ANY (ARRAY(
                                          SELECT b.relid::pg_catalog.oid FROM pg_catalog.pg_partition_ancestors(r.oid) b))))
                     OR EXISTS (SELECT FROM pg_catalog.pg_depend s
                                  JOIN pg_catalog.pg_depend q ON q.classid OPERATOR(pg_catalog.=) s.classid AND q.objid OPERATOR(pg_catalog.=) s.objid
                                 WHERE s.classid OPERATOR(pg_catalog.=) 6237::pg_catalog.oid
                                   AND s.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid
                                   AND s.refobjid OPERATOR(pg_catalog.=) r.relnamespace
                                   AND q.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_publication'::pg_catalog.regclass::pg_catalog.oid
                                   AND q.refobjid OPERATOR(pg_catalog.=) p.oid)))))
       FROM relation r),
  'types', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'oid', t.oid::pg_catalog.int8,
              'users', COALESCE((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('column', u.attname, 'type', u.type, 'table', b.json) ORDER BY u.attrelid, u.attname)
                                   FROM usage u
                                   JOIN tables b ON b.oid OPERATOR(pg_catalog.=) u.attrelid
                                  WHERE u.root OPERATOR(pg_catalog.=) t.oid), '[]'::pg_catalog.json)))
       FROM type t),
  'functions', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object('schema', f.schema, 'name', f.name, 'routine', pg_catalog.json_build_object(
              'oid', p.oid::pg_catalog.int8, 'schema', n.nspname, 'name', p.proname,
              'arguments', pg_catalog.pg_get_function_identity_arguments(p.oid),
              'kind', p.prokind, 'language', l.lanname, 'volatile', p.provolatile, 'security_definer', p.prosecdef,
              'search_path', COALESCE(EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) AS g(setting)
                                               WHERE pg_catalog.starts_with(pg_catalog.lower(g.setting), 'search_path=')), false),
              'may_alter', COALESCE(pg_catalog.pg_has_role(p.proowner, 'USAGE'), false),
              'created_here', COALESCE((
                 SELECT CASE WHEN a.ahead OPERATOR(pg_catalog.>=) 2147483648 THEN false
                             WHEN s.xid OPERATOR(pg_catalog.+) a.ahead OPERATOR(pg_catalog.<) s.horizon
                             THEN pg_catalog.pg_xact_status((s.xid OPERATOR(pg_catalog.+) a.ahead)::pg_catalog.text::pg_catalog.xid8) OPERATOR(pg_catalog.=) 'in progress'
                             ELSE s.xid OPERATOR(pg_catalog.+) a.ahead OPERATOR(pg_catalog.-) GREATEST(s.xid, s.horizon) OPERATOR(pg_catalog.<) 4096 END
                   FROM pg_catalog.pg_depend d
                  CROSS JOIN session s
                  CROSS JOIN LATERAL (SELECT (d.xmin::pg_catalog.text::pg_catalog.int8 OPERATOR(pg_catalog.-) s.xid) OPERATOR(pg_catalog.&) 4294967295 AS ahead) a
                  WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid AND d.objid OPERATOR(pg_catalog.=) p.oid
                    AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid AND s.xid IS NOT NULL
                  LIMIT 1), false),
              'objects', (SELECT o.json FROM objects o WHERE o.of OPERATOR(pg_catalog.=) 'f' AND o.root OPERATOR(pg_catalog.=) p.oid)))
              ORDER BY n.nspname, p.oid)
       FROM routine f
       JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) f.oid
       JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
       JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang),
  'schemas', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'oid', n.oid::pg_catalog.int8, 'name', n.nspname, 'may_alter', COALESCE(pg_catalog.pg_has_role(n.nspowner, 'USAGE'), false),
              'created_here', COALESCE(n.xmin::pg_catalog.text OPERATOR(pg_catalog.=) (s.xid OPERATOR(pg_catalog.&) 4294967295)::pg_catalog.text, false) AND NOT EXISTS (
                 SELECT FROM pg_catalog.pg_class c
                   JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.=) (-6)::pg_catalog.int2
                  WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid AND a.xmin::pg_catalog.text OPERATOR(pg_catalog.<>) (s.xid OPERATOR(pg_catalog.&) 4294967295)::pg_catalog.text),
              'tables', r.tables, 'views', r.views, 'sequences', r.sequences, 'bytes', COALESCE(r.bytes, 0), 'largest', r.largest,
              'functions', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_proc p WHERE p.pronamespace OPERATOR(pg_catalog.=) n.oid),
              'types', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_type t
                          LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.typrelid
                         WHERE t.typnamespace OPERATOR(pg_catalog.=) n.oid
                           AND (t.typtype OPERATOR(pg_catalog.=) ANY (ARRAY['d', 'e', 'r']::pg_catalog."char"[])
                             OR t.typtype OPERATOR(pg_catalog.=) 'b'::pg_catalog."char" AND t.typcategory OPERATOR(pg_catalog.<>) 'A'::pg_catalog."char"
                             OR c.relkind OPERATOR(pg_catalog.=) 'c'::pg_catalog."char")),
              'references', (SELECT f.json FROM referencing f WHERE f.schema OPERATOR(pg_catalog.=) n.oid)))
       FROM schema n
      CROSS JOIN session s
      CROSS JOIN LATERAL (
         SELECT pg_catalog.count(*) FILTER (WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'f']::pg_catalog."char"[])) AS tables,
                pg_catalog.count(*) FILTER (WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['v', 'm']::pg_catalog."char"[])) AS views,
                pg_catalog.count(*) FILTER (WHERE c.relkind OPERATOR(pg_catalog.=) 'S'::pg_catalog."char") AS sequences,
                pg_catalog.sum(c.relpages::pg_catalog.float8 OPERATOR(pg_catalog.*) s.block)
                   FILTER (WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'm']::pg_catalog."char"[]))::pg_catalog.int8 AS bytes,
                (SELECT pg_catalog.json_agg(b.relname)
                   FROM (SELECT b.relname FROM pg_catalog.pg_class b
                          WHERE b.relnamespace OPERATOR(pg_catalog.=) n.oid AND b.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'f']::pg_catalog."char"[])
                          ORDER BY b.relpages DESC, b.relname LIMIT 10) b) AS largest
           FROM pg_catalog.pg_class c
          WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid) r)
)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
