-- What is known about the session and about the relations that a statement names: one row, one column, base64 of UTF-8 JSON.
-- The parameter is hex of a UTF-8 JSON list of {number, name, schema, index, candidates, constraint, parents, defined}, and of what names.sql and
-- dependents.sql are about, which are sent with it where they are wanted. Both ways are ASCII, so that no client_encoding can fail on a name.
--
-- It runs on 13 and later, in any transaction, as any login, and must neither fail nor wait:
--   * what opens a relation (sizes, definitions) is asked only where no other backend holds or awaits ACCESS EXCLUSIVE, and
--     definitions, which raise for a relation that is dropped just then, only where something depends on them;
--   * to_regclass is not asked about a schema that the login may not use: there it would raise;
--   * operators are qualified too. IN, BETWEEN, LIKE and CASE x WHEN look theirs up in search_path and are not used.
WITH RECURSIVE
session AS MATERIALIZED (
  SELECT d.oid AS database,
         d.datname,
         (SELECT y.spcname FROM pg_catalog.pg_tablespace y WHERE y.oid OPERATOR(pg_catalog.=) d.dattablespace) AS tablespace,
         pg_catalog.current_setting('block_size')::pg_catalog.float8 AS block,
         -- The top transaction's id, if it has one, and the first id that the snapshot knows nothing of.
         pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text::pg_catalog.int8 AS xid,
         pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::pg_catalog.int8 AS horizon
    FROM pg_catalog.pg_database d
   WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
),
wanted AS MATERIALIZED (
  SELECT w.number, w.index::pg_catalog.name AS index, w.candidates, w."constraint", w.parents, w.defined, w.children, h.hidden,
         CASE WHEN NOT h.hidden AND w.name OPERATOR(pg_catalog.<>) '' THEN pg_catalog.to_regclass(w.name)::pg_catalog.oid END AS oid
    FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json)
         AS w(number pg_catalog.int4, name pg_catalog.text, schema pg_catalog.text, index pg_catalog.text,
              candidates pg_catalog.json, "constraint" pg_catalog.bool, parents pg_catalog.bool, defined pg_catalog.bool, children pg_catalog.bool)
   CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace n
                                       WHERE n.nspname OPERATOR(pg_catalog.=) w.schema::pg_catalog.name
                                         AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')) AS hidden) h
   -- Always true; without it the planner expects a hundred names, reads whole catalogs, and compiles the query (jit) for longer than it runs.
   WHERE w.number OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) w.number
),
lock AS MATERIALIZED (
  SELECT l.relation, l.mode, l.granted,
         l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AS own
    FROM pg_catalog.pg_locks l, session s
   WHERE l.locktype OPERATOR(pg_catalog.=) 'relation'
     AND l.database OPERATOR(pg_catalog.=) s.database
     AND l.mode OPERATOR(pg_catalog.=) ANY (ARRAY['ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'])
),
-- What this transaction holds strongly; an index stands for its table, unless this transaction made it. OIDs below FirstNormalObjectId are catalogs.
-- That number is none of type oid: such a constant counts as a mention of the relation by that OID (ISREGCLASSCONST in setrefs.c), and the plan, which takes
-- far longer than the answer, would be made anew after every change of it, which is the first of a database.
held AS MATERIALIZED (
  SELECT COALESCE(i.indrelid, l.relation) AS oid, pg_catalog.array_agg(l.mode) AS modes
    FROM lock l
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid OPERATOR(pg_catalog.=) l.relation
   CROSS JOIN session s
   WHERE l.own AND l.granted AND l.relation::pg_catalog.int8 OPERATOR(pg_catalog.>=) 16384
     AND COALESCE(i.xmin::pg_catalog.text OPERATOR(pg_catalog.<>) (s.xid OPERATOR(pg_catalog.&) 4294967295)::pg_catalog.text, true)
   GROUP BY 1
),
-- The descendants to describe, too. Of an array the planner expects ten members, whatever the catalog holds; with the condition on the depth, see
-- wanted, it does not expect millions of millions.
child AS (
  SELECT w.oid AS root, w.oid, 0 AS depth FROM wanted w WHERE w.children AND w.oid IS NOT NULL
   UNION
  SELECT c.root, h.inhrelid, c.depth OPERATOR(pg_catalog.+) 1
    FROM child c
   CROSS JOIN LATERAL pg_catalog.unnest(ARRAY(
      SELECT h.inhrelid
        FROM pg_catalog.pg_class p
        JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) p.oid
       WHERE p.oid OPERATOR(pg_catalog.=) c.oid AND p.relhassubclass)) AS h(inhrelid)
   WHERE c.depth OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) c.depth
),
-- The relations to describe: those named, the tables of named indexes, the tables that their foreign keys reference or that they are partitions
-- of, and their descendants.
subject AS MATERIALIZED (
  SELECT COALESCE(i.indrelid, w.oid) AS oid
    FROM wanted w
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid OPERATOR(pg_catalog.=) w.oid
   WHERE w.oid IS NOT NULL
   UNION
  SELECT k.confrelid
    FROM wanted w
    JOIN pg_catalog.pg_constraint k ON k.conrelid OPERATOR(pg_catalog.=) w.oid
   WHERE w.parents AND k.contype OPERATOR(pg_catalog.=) 'f'
   UNION
  SELECT h.inhparent
    FROM wanted w
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) w.oid
    JOIN pg_catalog.pg_inherits h ON h.inhrelid OPERATOR(pg_catalog.=) w.oid
   WHERE w.parents AND c.relispartition
   UNION
  SELECT c.oid FROM child c WHERE c.depth OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) c.depth
),
tree AS (
  SELECT s.oid AS root, s.oid, NULL::pg_catalog.oid AS parent, 0 AS depth FROM subject s
   UNION
  SELECT t.root, h.inhrelid, t.oid, t.depth OPERATOR(pg_catalog.+) 1
    FROM tree t
   CROSS JOIN LATERAL pg_catalog.unnest(ARRAY(
      SELECT h.inhrelid
        FROM pg_catalog.pg_class p
        JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) p.oid
       WHERE p.oid OPERATOR(pg_catalog.=) t.oid AND p.relhassubclass)) AS h(inhrelid)
   WHERE t.depth OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) t.depth
),
-- Relations that cannot be opened without a wait.
busy AS MATERIALIZED (
  SELECT l.relation AS oid
    FROM lock l
   WHERE NOT l.own AND l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock'
   UNION ALL
  SELECT i.indrelid
    FROM lock l
    JOIN pg_catalog.pg_index i ON i.indexrelid OPERATOR(pg_catalog.=) l.relation
   WHERE NOT l.own AND l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock'
),
-- Every relation of the trees once, with its size: a relation without storage has none, one that is busy an unknown one (NULL).
member AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltuples, c.relpages, c.relpartbound, b.busy,
         CASE WHEN NOT st.stored THEN 0 WHEN NOT b.busy THEN pg_catalog.pg_relation_size(c.oid, 'main') END AS main,
         CASE WHEN NOT st.stored THEN 0 WHEN NOT b.busy THEN pg_catalog.pg_table_size(c.oid) END AS bytes
    FROM (SELECT DISTINCT t.oid FROM tree t) t
   -- OFFSET: one look for each of them, and not all of pg_class: the planner expects far more than there are.
   CROSS JOIN LATERAL (SELECT c.oid, c.relname, c.relkind, c.reltuples, c.relpages, c.relpartbound, c.reltoastrelid, c.relnamespace
                         FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) t.oid OFFSET 0) c
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
   CROSS JOIN LATERAL (SELECT c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'm']::pg_catalog."char"[]) AS stored) st
   CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM busy b
                                       WHERE b.oid OPERATOR(pg_catalog.=) c.oid
                                          OR b.oid OPERATOR(pg_catalog.=) c.reltoastrelid) AS busy) b
),
estimate AS MATERIALIZED (
  SELECT m.*,
         CASE WHEN m.main OPERATOR(pg_catalog.=) 0 THEN 0
              WHEN m.relpages OPERATOR(pg_catalog.>) 0 AND m.reltuples OPERATOR(pg_catalog.>) 0
              THEN pg_catalog.ceil(m.reltuples::pg_catalog.float8 OPERATOR(pg_catalog./) m.relpages::pg_catalog.float8
                                   OPERATOR(pg_catalog.*) (m.main::pg_catalog.float8 OPERATOR(pg_catalog./) s.block))
         END AS rows
    FROM member m, session s
),
size AS MATERIALIZED (
  SELECT t.root,
         CASE WHEN pg_catalog.bool_and(e.rows IS NOT NULL) THEN pg_catalog.sum(e.rows) END AS rows,
         CASE WHEN pg_catalog.bool_and(e.bytes IS NOT NULL) THEN pg_catalog.sum(e.bytes) END AS bytes,
         pg_catalog.bool_and(COALESCE(e.main OPERATOR(pg_catalog.=) 0, false) AND e.relkind OPERATOR(pg_catalog.<>) 'f'::pg_catalog."char") AS empty,
         pg_catalog.bool_or(e.relkind OPERATOR(pg_catalog.=) 'f'::pg_catalog."char") AS strange,
         pg_catalog.count(*) AS members
    FROM (SELECT DISTINCT t.root, t.oid FROM tree t) t
    JOIN estimate e ON e.oid OPERATOR(pg_catalog.=) t.oid
   GROUP BY t.root
),
-- Made by this very transaction? pg_class.xmin is renewed by every ALTER and GRANT; the pg_attribute row of the system column
-- tableoid (-6), or of a view's first column, is written once. Its xmin has 32 bits and a frozen row keeps an old one, so that it may seem to lie in the
-- future, where pg_xact_status raises. Our own ids lie at or behind the top one: below the snapshot's horizon the status is
-- asked; behind it only our own rows are visible, or frozen ones, and those in a window that no transaction's savepoints fill
-- are taken for ours. The creator of a relation holds ACCESS EXCLUSIVE on it to the end.
created AS MATERIALIZED (
  SELECT a.attrelid AS oid
    FROM (SELECT u.oid FROM subject u UNION SELECT h.oid FROM held h) r
    JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) r.oid AND a.attnum OPERATOR(pg_catalog.=) ANY (ARRAY[-6, 1]::pg_catalog.int2[])
   CROSS JOIN session s
   CROSS JOIN LATERAL (SELECT (a.xmin::pg_catalog.text::pg_catalog.int8 OPERATOR(pg_catalog.-) s.xid) OPERATOR(pg_catalog.&) 4294967295 AS ahead) d
   CROSS JOIN LATERAL (SELECT s.xid OPERATOR(pg_catalog.+) d.ahead AS xid) x
   WHERE s.xid IS NOT NULL
     AND (a.attnum OPERATOR(pg_catalog.=) (-6)::pg_catalog.int2
       OR NOT EXISTS (SELECT FROM pg_catalog.pg_attribute y
                       WHERE y.attrelid OPERATOR(pg_catalog.=) a.attrelid AND y.attnum OPERATOR(pg_catalog.=) (-6)::pg_catalog.int2))
     AND EXISTS (SELECT FROM lock l
                  WHERE l.own AND l.relation OPERATOR(pg_catalog.=) a.attrelid AND l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock')
     AND CASE WHEN d.ahead OPERATOR(pg_catalog.>=) 2147483648 THEN false
              WHEN x.xid OPERATOR(pg_catalog.<) s.horizon
              THEN pg_catalog.pg_xact_status(x.xid::pg_catalog.text::pg_catalog.xid8) OPERATOR(pg_catalog.=) 'in progress'
              ELSE x.xid OPERATOR(pg_catalog.-) GREATEST(s.xid, s.horizon) OPERATOR(pg_catalog.<) 4096
         END
),
extension AS MATERIALIZED (
  SELECT e.oid, e.extname
    FROM pg_catalog.pg_extension e
   WHERE e.extname OPERATOR(pg_catalog.=) ANY (ARRAY['citus', 'timescaledb']::pg_catalog.name[])
),
described AS MATERIALIZED (
  SELECT c.oid, pg_catalog.json_build_object(
           'oid', c.oid::pg_catalog.int8,
           'schema', m.nspname,
           'name', c.relname,
           'kind', c.relkind,
           'persistence', c.relpersistence,
           'owner', pg_catalog.pg_get_userbyid(c.relowner),
           'may_alter', COALESCE(pg_catalog.pg_has_role(c.relowner, 'USAGE'), false),
           'readable', COALESCE(pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT pg_catalog.row_security_active(c.oid), false),
           'created_here', EXISTS (SELECT FROM created r WHERE r.oid OPERATOR(pg_catalog.=) c.oid),
           'rows', COALESCE(size.rows, -1),
           'bytes', COALESCE(size.bytes, -1),
           'empty', COALESCE(size.empty, false),
           'descendants', size.members OPERATOR(pg_catalog.-) 1,
           'foreign', size.strange OR EXISTS (
              SELECT FROM pg_catalog.pg_trigger g
                JOIN pg_catalog.pg_depend d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
                                           AND d.objid OPERATOR(pg_catalog.=) g.tgfoid
                                           AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
                JOIN extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
               WHERE g.tgrelid OPERATOR(pg_catalog.=) c.oid),
           'partition_of', CASE WHEN c.relispartition THEN (SELECT h.inhparent::pg_catalog.int8 FROM pg_catalog.pg_inherits h
                                                             WHERE h.inhrelid OPERATOR(pg_catalog.=) c.oid
                                                             ORDER BY h.inhseqno LIMIT 1) ELSE 0 END,
           'partitions', (
              SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                       'oid', p.oid::pg_catalog.int8, 'parent', p.parent::pg_catalog.int8, 'schema', e.nspname, 'name', e.relname, 'kind', e.relkind,
                       'rows', COALESCE(e.rows, -1), 'bytes', COALESCE(e.bytes, -1),
                       'default', COALESCE((SELECT t.partdefid OPERATOR(pg_catalog.=) p.oid FROM pg_catalog.pg_partitioned_table t
                                             WHERE t.partrelid OPERATOR(pg_catalog.=) p.parent), false),
                       'bound', CASE WHEN q.defined THEN pg_catalog.pg_get_expr(e.relpartbound, 0) END,
                       'foreign_keys', (
                          SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', k.conname, 'type', k.contype, 'validated', k.convalidated,
                                   'parent', k.confrelid::pg_catalog.int8, 'columns', (
                                      SELECT pg_catalog.json_agg(a.attname ORDER BY u.place)
                                        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(num, place)
                                        JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) k.conrelid AND a.attnum OPERATOR(pg_catalog.=) u.num),
                                   'parent_columns', (
                                      SELECT pg_catalog.json_agg(a.attname ORDER BY u.place)
                                        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS u(num, place)
                                        JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) k.confrelid AND a.attnum OPERATOR(pg_catalog.=) u.num)
                                 ) ORDER BY k.conname)
                            FROM pg_catalog.pg_constraint k
                           WHERE k.conrelid OPERATOR(pg_catalog.=) p.oid AND k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char")) ORDER BY e.nspname, e.relname)
                FROM tree p
                JOIN estimate e ON e.oid OPERATOR(pg_catalog.=) p.oid
               WHERE p.root OPERATOR(pg_catalog.=) c.oid AND p.parent IS NOT NULL
                 AND c.relkind OPERATOR(pg_catalog.=) 'p'::pg_catalog."char"),
           'bound', CASE WHEN q.defined THEN pg_catalog.pg_get_expr(c.relpartbound, 0) END,
           -- The columns within expressions of the key depend on the table itself.
           'key', (
              SELECT pg_catalog.json_build_object(
                       'strategy', t.partstrat, 'nums', pg_catalog.array_to_json(t.partattrs::pg_catalog.int2[]), 'default', t.partdefid::pg_catalog.int8,
                       'plain', NOT EXISTS (
                          SELECT FROM ROWS FROM (pg_catalog.unnest(t.partattrs::pg_catalog.int2[]), pg_catalog.unnest(t.partclass::pg_catalog.oid[]),
                                                 pg_catalog.unnest(t.partcollation::pg_catalog.oid[])) AS k(num, class, coll)
                            LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.=) k.num
                            LEFT JOIN pg_catalog.pg_type y ON y.oid OPERATOR(pg_catalog.=) a.atttypid
                            LEFT JOIN pg_catalog.pg_opclass o ON o.oid OPERATOR(pg_catalog.=) k.class
                           WHERE NOT COALESCE(k.num OPERATOR(pg_catalog.<>) 0::pg_catalog.int2 AND y.typtype OPERATOR(pg_catalog.<>) 'd'::pg_catalog."char"
                             AND o.opcdefault AND o.opcnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace::pg_catalog.oid
                             AND k.coll OPERATOR(pg_catalog.=) a.attcollation, false)),
                       'mentions', (SELECT pg_catalog.json_agg(d.objsubid ORDER BY d.objsubid)
                                      FROM pg_catalog.pg_depend d
                                     WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
                                       AND d.objid OPERATOR(pg_catalog.=) c.oid
                                       AND d.refclassid OPERATOR(pg_catalog.=) d.classid AND d.refobjid OPERATOR(pg_catalog.=) c.oid
                                       AND d.objsubid OPERATOR(pg_catalog.>) 0 AND d.refobjsubid OPERATOR(pg_catalog.=) 0))
                FROM pg_catalog.pg_partitioned_table t
               WHERE t.partrelid OPERATOR(pg_catalog.=) c.oid AND c.relkind OPERATOR(pg_catalog.=) 'p'::pg_catalog."char"),
           'access_method', (SELECT y.amname FROM pg_catalog.pg_am y WHERE y.oid OPERATOR(pg_catalog.=) c.relam),
           'tablespace', (SELECT y.spcname FROM pg_catalog.pg_tablespace y WHERE y.oid OPERATOR(pg_catalog.=) c.reltablespace),
           'options', pg_catalog.array_to_json(c.reloptions),
           'populated', c.relispopulated,
           'row_security', c.relrowsecurity,
           'force_row_security', c.relforcerowsecurity,
           'replica_identity', c.relreplident,
           'of_type', c.reloftype::pg_catalog.int8,
           'columns', (
              SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                       'num', a.attnum, 'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'not_null', a.attnotnull,
                       'type_oid', a.atttypid::pg_catalog.int8, 'type_schema', n.nspname, 'type_name', y.typname, 'type_mod', a.atttypmod,
                       'collation', a.attcollation::pg_catalog.int8, 'identity', a.attidentity, 'generated', a.attgenerated,
                       'storage', a.attstorage, 'has_default', a.atthasdef, 'inherited', a.attinhcount OPERATOR(pg_catalog.>) 0,
                       -- A default has no columns in it: nothing is opened for it.
                       'default', CASE WHEN a.attgenerated OPERATOR(pg_catalog.=) ''::pg_catalog."char" THEN pg_catalog.pg_get_expr(d.adbin, 0) END,
                       'default_volatile', d.adbin IS NOT NULL AND EXISTS (
                          SELECT FROM pg_catalog.regexp_matches(d.adbin::pg_catalog.text, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS f(id)
                            JOIN pg_catalog.pg_proc o ON o.oid OPERATOR(pg_catalog.=) f.id[1]::pg_catalog.oid
                           WHERE o.provolatile OPERATOR(pg_catalog.=) 'v'::pg_catalog."char")) ORDER BY a.attnum)
                FROM pg_catalog.pg_attribute a
                -- OFFSET: one look for each column, and not all types in the order of their OIDs.
                LEFT JOIN LATERAL (SELECT y.typname, y.typnamespace FROM pg_catalog.pg_type y
                                    WHERE y.oid OPERATOR(pg_catalog.=) a.atttypid OFFSET 0) y ON true
                LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) y.typnamespace
                LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid OPERATOR(pg_catalog.=) c.oid AND d.adnum OPERATOR(pg_catalog.=) a.attnum AND q.defined
               WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT a.attisdropped),
           'indexes', (
              SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                       'oid', i.indexrelid::pg_catalog.int8, 'name', x.relname, 'kind', x.relkind,
                       'method', (SELECT y.amname FROM pg_catalog.pg_am y WHERE y.oid OPERATOR(pg_catalog.=) x.relam),
                       'valid', i.indisvalid, 'ready', i.indisready, 'unique', i.indisunique, 'primary', i.indisprimary,
                       'partial', i.indpred IS NOT NULL,
                       'nulls_not_distinct', COALESCE(pg_catalog.json_extract_path_text(pg_catalog.row_to_json(i), 'indnullsnotdistinct'), 'false')::pg_catalog.bool,
                       'nums', pg_catalog.array_to_json(i.indkey::pg_catalog.int2[]), 'keys', i.indnkeyatts,
                       'within', CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL THEN (
                          SELECT pg_catalog.json_agg(d.refobjsubid)
                            FROM pg_catalog.pg_depend d
                           WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
                             AND d.objid OPERATOR(pg_catalog.=) i.indexrelid AND d.objsubid OPERATOR(pg_catalog.=) 0
                             AND d.refclassid OPERATOR(pg_catalog.=) d.classid AND d.refobjid OPERATOR(pg_catalog.=) c.oid
                             AND d.refobjsubid OPERATOR(pg_catalog.>) 0) END,
                       'expression', i.indexprs IS NOT NULL,
                       'classes', (
                          -- The last are the polymorphic pseudo-types: anyarray, anyelement, anynonarray, anyenum, anyrange, anymultirange, and the anycompatible ones.
                          SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                                   'oid', o.oid::pg_catalog.int8, 'default', o.opcdefault, 'stored', a.atttypid::pg_catalog.int8,
                                   'polymorphic', o.opcintype OPERATOR(pg_catalog.=) ANY (ARRAY[2277, 2283, 2776, 3500, 3831, 4537, 4538, 5077, 5078, 5079, 5080]::pg_catalog.oid[]))
                                   ORDER BY y.place)
                            FROM pg_catalog.unnest(i.indclass::pg_catalog.oid[]) WITH ORDINALITY AS y(oid, place)
                           CROSS JOIN LATERAL (SELECT o.oid, o.opcdefault, o.opcintype FROM pg_catalog.pg_opclass o
                                                WHERE o.oid OPERATOR(pg_catalog.=) y.oid OFFSET 0) o
                            LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) i.indexrelid
                                                               AND a.attnum OPERATOR(pg_catalog.=) y.place::pg_catalog.int2),
                       'collations', pg_catalog.array_to_json(i.indcollation::pg_catalog.int8[]),
                       'sorting', pg_catalog.array_to_json(i.indoption::pg_catalog.int2[]),
                       'deferrable', NOT i.indimmediate, 'clustered', i.indisclustered, 'replica_identity', i.indisreplident,
                       'bytes', (x.relpages::pg_catalog.float8 OPERATOR(pg_catalog.*) s.block)::pg_catalog.int8,
                       'definition', CASE WHEN NOT m.busy AND (q.defined OR EXISTS (SELECT FROM wanted w WHERE w.index OPERATOR(pg_catalog.=) x.relname))
                                          THEN pg_catalog.pg_get_indexdef(i.indexrelid) END,
                       'constraint', (SELECT k.conname FROM pg_catalog.pg_constraint k
                                       WHERE k.conrelid OPERATOR(pg_catalog.=) c.oid AND k.conindid OPERATOR(pg_catalog.=) i.indexrelid
                                         AND k.contype OPERATOR(pg_catalog.=) ANY (ARRAY['p', 'u', 'x']::pg_catalog."char"[])
                                       LIMIT 1),
                       'parent', COALESCE((SELECT h.inhparent::pg_catalog.int8 FROM pg_catalog.pg_inherits h
                                            WHERE h.inhrelid OPERATOR(pg_catalog.=) i.indexrelid LIMIT 1), 0),
                       -- A concurrent build, and every other one that could end, holds this lock on the table all the while.
                       'building', NOT i.indisvalid AND EXISTS (
                          SELECT FROM lock l
                           WHERE NOT l.own AND l.granted AND l.relation OPERATOR(pg_catalog.=) c.oid
                             AND l.mode OPERATOR(pg_catalog.=) 'ShareUpdateExclusiveLock')) ORDER BY x.relname)
                FROM pg_catalog.pg_index i
                JOIN pg_catalog.pg_class x ON x.oid OPERATOR(pg_catalog.=) i.indexrelid
               WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid),
           'constraints', (
              SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                       'oid', k.oid::pg_catalog.int8, 'name', k.conname, 'type', k.contype, 'validated', k.convalidated,
                       'definition', CASE WHEN NOT m.busy AND q.defined THEN pg_catalog.pg_get_constraintdef(k.oid) END,
                       'nums', pg_catalog.array_to_json(k.conkey), 'deferrable', k.condeferrable, 'deferred', k.condeferred, 'no_inherit', k.connoinherit,
                       'local', k.conislocal, 'inherited', k.coninhcount OPERATOR(pg_catalog.>) 0 OR k.conparentid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid,
                       'enforced', CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 180000
                                        THEN pg_catalog.json_extract_path_text(pg_catalog.row_to_json(k), 'conenforced')::pg_catalog.bool ELSE true END,
                       'index', k.conindid::pg_catalog.int8, 'parent', k.confrelid::pg_catalog.int8,
                       'parent_schema', n.nspname, 'parent_name', p.relname,
                       'parent_columns', CASE WHEN k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char" THEN (
                          SELECT pg_catalog.json_agg(a.attname ORDER BY y.place)
                            FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS y(num, place)
                            JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) k.confrelid AND a.attnum OPERATOR(pg_catalog.=) y.num) END
                       ) ORDER BY k.conname)
                FROM pg_catalog.pg_constraint k
                LEFT JOIN pg_catalog.pg_class p ON p.oid OPERATOR(pg_catalog.=) k.confrelid
                LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.relnamespace
               WHERE k.conrelid OPERATOR(pg_catalog.=) c.oid AND k.contype OPERATOR(pg_catalog.<>) 't'::pg_catalog."char")
         ) AS json
    FROM subject u
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) u.oid
    JOIN member m ON m.oid OPERATOR(pg_catalog.=) c.oid
   CROSS JOIN session s
   CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM wanted w WHERE w.oid OPERATOR(pg_catalog.=) c.oid AND w.defined) AS defined) q
    JOIN size ON size.root OPERATOR(pg_catalog.=) c.oid
)
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
  'version', pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
  'standby', pg_catalog.pg_is_in_recovery(),
  -- Whoever streams the WAL and is neither a base backup nor a logical subscriber.
  'standbys', GREATEST(0, (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_get_wal_senders() w
                            WHERE COALESCE(w.state OPERATOR(pg_catalog.<>) 'backup', true)) OPERATOR(pg_catalog.-)
                          (SELECT pg_catalog.count(*) FROM pg_catalog.pg_get_replication_slots() r
                            WHERE r.active AND r.slot_type OPERATOR(pg_catalog.=) 'logical')),
  'database', s.datname,
  'database_oid', s.database::pg_catalog.int8,
  'tablespace', s.tablespace,
  'session_user', SESSION_USER,
  'current_user', CURRENT_USER,
  'search_path', pg_catalog.array_to_json(pg_catalog.current_schemas(false)),
  'isolation', pg_catalog.current_setting('transaction_isolation'),
  'settings', (
     SELECT pg_catalog.json_object_agg(g.name, pg_catalog.current_setting(g.name, true))
       FROM pg_catalog.unnest(ARRAY[
              'lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout', 'deadlock_timeout',
              'client_connection_check_interval', 'client_encoding', 'client_min_messages', 'default_transaction_read_only',
              'role', 'search_path', 'standard_conforming_strings', 'DateStyle', 'IntervalStyle', 'TimeZone',
              'default_tablespace', 'default_table_access_method', 'application_name', 'pgsluice.allow', 'pgsluice.revision', 'pgsluice.actor']) AS g(name)
      WHERE pg_catalog.current_setting(g.name, true) IS NOT NULL),
  'may_probe', pg_catalog.has_database_privilege(s.database, 'TEMP') AND EXISTS (
     SELECT FROM pg_catalog.pg_language l
      WHERE l.lanname OPERATOR(pg_catalog.=) 'plpgsql' AND pg_catalog.has_language_privilege(l.oid, 'USAGE')),
  'extensions', (SELECT pg_catalog.json_agg(e.extname ORDER BY e.extname) FROM extension e),
  'installed', (SELECT pg_catalog.json_agg(e.extname ORDER BY e.extname) FROM pg_catalog.pg_extension e),
  'held', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'oid', h.oid::pg_catalog.int8, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'modes', pg_catalog.array_to_json(h.modes),
              'bytes', COALESCE((c.relpages::pg_catalog.float8 OPERATOR(pg_catalog.*) s.block)::pg_catalog.int8, -1),
              'columns', (
              SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
                FROM pg_catalog.pg_attribute a
               WHERE a.attrelid OPERATOR(pg_catalog.=) h.oid AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT a.attisdropped)))
       FROM held h
       LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) h.oid
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
      WHERE NOT EXISTS (SELECT FROM created r WHERE r.oid OPERATOR(pg_catalog.=) h.oid)
        AND COALESCE(c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
                 AND c.relkind OPERATOR(pg_catalog.<>) ALL (ARRAY['v', 'c']::pg_catalog."char"[]), true)),
  'names', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'number', w.number, 'hidden', w.hidden, 'oid', w.oid::pg_catalog.int8, 'table', COALESCE(i.indrelid, w.oid)::pg_catalog.int8,
              'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'persistence', c.relpersistence,
              'children', (SELECT pg_catalog.json_agg(DISTINCT d.oid::pg_catalog.int8) FROM child d
                            WHERE d.root OPERATOR(pg_catalog.=) w.oid AND d.oid OPERATOR(pg_catalog.<>) w.oid),
              'taken', (
                 SELECT pg_catalog.json_agg(t.name)
                   FROM pg_catalog.json_array_elements_text(w.candidates) AS t(name)
                  WHERE CASE WHEN w."constraint"
                             THEN EXISTS (SELECT FROM pg_catalog.pg_constraint k
                                           WHERE k.conname OPERATOR(pg_catalog.=) t.name::pg_catalog.name AND k.connamespace OPERATOR(pg_catalog.=) c.relnamespace)
                             ELSE EXISTS (SELECT FROM pg_catalog.pg_class b
                                           WHERE b.relname OPERATOR(pg_catalog.=) t.name::pg_catalog.name AND b.relnamespace OPERATOR(pg_catalog.=) c.relnamespace)
                        END),
              'sibling', (
                 SELECT pg_catalog.json_build_object(
                          'oid', b.oid::pg_catalog.int8, 'schema', n.nspname, 'name', b.relname, 'kind', b.relkind, 'persistence', b.relpersistence,
                          'owner', pg_catalog.pg_get_userbyid(b.relowner),
                          'may_alter', COALESCE(pg_catalog.pg_has_role(b.relowner, 'USAGE'), false),
                          'table', (SELECT pg_catalog.json_build_object('oid', o.oid::pg_catalog.int8, 'schema', n.nspname, 'name', o.relname, 'kind', o.relkind)
                                      FROM pg_catalog.pg_index y
                                      JOIN pg_catalog.pg_class o ON o.oid OPERATOR(pg_catalog.=) y.indrelid
                                     WHERE y.indexrelid OPERATOR(pg_catalog.=) b.oid))
                   FROM pg_catalog.pg_class b
                  WHERE b.relname OPERATOR(pg_catalog.=) w.index AND b.relnamespace OPERATOR(pg_catalog.=) c.relnamespace)))
       FROM wanted w
       LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) w.oid
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
       LEFT JOIN pg_catalog.pg_index i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid),
  'relations', (SELECT pg_catalog.json_agg(d.json) FROM described d)
)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM session s
