-- What is known about the session and about the relations that a statement names: one row, one column, base64 of UTF-8 JSON; and a second column, about, for
-- the parts that are asked in the same round trip and read it where they say so: three lists of OIDs with a space between them, of the relations to describe, of
-- those whose definitions are wanted, and of those whose dependents are wanted.
-- The parameter is hex of a UTF-8 JSON list of {number, name, schema, parents, defined, children, dependents}, and of what taken.sql, names.sql and
-- dependents.sql are about, which are sent with it where they are wanted. Both ways are ASCII, so that no client_encoding can fail on a name.
--
-- It runs on 13 and later, in any transaction, as any login, and must neither fail nor wait:
--   * what opens a relation (sizes, definitions) is asked only where no other backend holds or awaits ACCESS EXCLUSIVE, and
--     definitions, which raise for a relation that is dropped just then, only where something depends on them;
--   * to_regclass is not asked about a schema that the login may not use: there it would raise;
--   * operators are qualified too. IN, BETWEEN, LIKE and CASE x WHEN look theirs up in search_path and are not used.
-- The server opens every catalog that a part mentions before it runs it, however little of it is then read: what is rare stands in parts of its own, and
-- what can be told from the answers of other parts is not asked.
WITH RECURSIVE
session AS MATERIALIZED (
  SELECT d.oid AS database,
         d.datname,
         d.dattablespace,
         -- The top transaction's id, if it has one, and the first id that the snapshot knows nothing of.
         pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text::pg_catalog.int8 AS xid,
         pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::pg_catalog.int8 AS horizon
    FROM pg_catalog.pg_database d
   WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
),
-- What the names mean, and the table of those that are indexes.
wanted AS MATERIALIZED (
  SELECT w.number, w.parents, w.defined, w.children, w.dependents, h.hidden, o.oid, i.indrelid
    FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json)
         AS w(number pg_catalog.int4, name pg_catalog.text, schema pg_catalog.text,
              parents pg_catalog.bool, defined pg_catalog.bool, children pg_catalog.bool, dependents pg_catalog.bool)
   CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace n
                                       WHERE n.nspname OPERATOR(pg_catalog.=) w.schema::pg_catalog.name
                                         AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')) AS hidden OFFSET 0) h
   CROSS JOIN LATERAL (SELECT CASE WHEN NOT h.hidden AND w.name OPERATOR(pg_catalog.<>) '' THEN pg_catalog.to_regclass(w.name)::pg_catalog.oid END AS oid
                       OFFSET 0) o
    LEFT JOIN LATERAL (SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid OPERATOR(pg_catalog.=) o.oid OFFSET 0) i ON true
   -- Always true; without it the planner expects a hundred names, reads whole catalogs, and compiles the query (jit) for longer than it runs.
   WHERE w.number OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) w.number
),
-- The strong locks of this transaction, and those of others that keep a relation from being opened, with the tables of indexes. What this transaction made
-- it did not find: an index stands for its table, unless this transaction made it.
lock AS MATERIALIZED (
  SELECT l.relation, l.mode, l.granted, l.own, i.indrelid, s.xid, s.horizon,
         COALESCE(i.xmin::pg_catalog.text OPERATOR(pg_catalog.=) (s.xid OPERATOR(pg_catalog.&) 4294967295)::pg_catalog.text, false) AS made
    FROM session s
   CROSS JOIN LATERAL (
      SELECT l.relation, l.mode, l.granted,
             COALESCE(l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid(), false) AS own -- a prepared transaction has no process
        FROM pg_catalog.pg_locks l
       WHERE l.locktype OPERATOR(pg_catalog.=) 'relation'
         AND l.database OPERATOR(pg_catalog.=) s.database
         AND (l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock'
           OR l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
          AND l.mode OPERATOR(pg_catalog.=) ANY (ARRAY['ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock']))
      OFFSET 0) l
    LEFT JOIN LATERAL (SELECT i.indrelid, i.xmin FROM pg_catalog.pg_index i WHERE i.indexrelid OPERATOR(pg_catalog.=) l.relation OFFSET 0) i ON true
),
-- Made by this very transaction? pg_class.xmin is renewed by every ALTER and GRANT; the pg_attribute row of the system column
-- tableoid (-6), or of a view's first column, is written once. Its xmin has 32 bits and a frozen row keeps an old one, so that it may seem to lie in the
-- future, where pg_xact_status raises. Our own ids lie at or behind the top one: below the snapshot's horizon the status is
-- asked; behind it only our own rows are visible, or frozen ones, and those in a window that no transaction's savepoints fill
-- are taken for ours. The creator of a relation holds ACCESS EXCLUSIVE on it to the end.
created AS MATERIALIZED (
  SELECT l.relation AS oid
    FROM lock l
   CROSS JOIN LATERAL (SELECT a.attnum, a.xmin FROM pg_catalog.pg_attribute a
                        WHERE a.attrelid OPERATOR(pg_catalog.=) l.relation AND a.attnum OPERATOR(pg_catalog.<=) 1::pg_catalog.int2
                          AND a.attnum OPERATOR(pg_catalog.=) ANY (ARRAY[-6, 1]::pg_catalog.int2[])
                        ORDER BY a.attnum LIMIT 1) a
   CROSS JOIN LATERAL (SELECT (a.xmin::pg_catalog.text::pg_catalog.int8 OPERATOR(pg_catalog.-) l.xid) OPERATOR(pg_catalog.&) 4294967295 AS ahead) d
   CROSS JOIN LATERAL (SELECT l.xid OPERATOR(pg_catalog.+) d.ahead AS xid) x
   WHERE l.own AND l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock' AND l.indrelid IS NULL AND l.xid IS NOT NULL
     AND CASE WHEN d.ahead OPERATOR(pg_catalog.>=) 2147483648 THEN false
              WHEN x.xid OPERATOR(pg_catalog.<) l.horizon
              THEN pg_catalog.pg_xact_status(x.xid::pg_catalog.text::pg_catalog.xid8) OPERATOR(pg_catalog.=) 'in progress'
              ELSE x.xid OPERATOR(pg_catalog.-) GREATEST(l.xid, l.horizon) OPERATOR(pg_catalog.<) 4096
         END
),
-- What this transaction holds strongly and did not make. OIDs below FirstNormalObjectId are catalogs.
-- That number is none of type oid: such a constant counts as a mention of the relation by that OID (ISREGCLASSCONST in setrefs.c), and the plan, which takes
-- far longer than the answer, would be made anew after every change of it, which is the first of a database.
held AS MATERIALIZED (
  SELECT COALESCE(l.indrelid, l.relation) AS oid, pg_catalog.array_agg(l.mode) AS modes
    FROM lock l
   WHERE l.own AND l.granted AND l.relation::pg_catalog.int8 OPERATOR(pg_catalog.>=) 16384 AND NOT l.made
     AND NOT EXISTS (SELECT FROM created r WHERE r.oid OPERATOR(pg_catalog.=) COALESCE(l.indrelid, l.relation))
   GROUP BY 1
),
-- The relations to describe: those named, the tables of named indexes, the tables that their foreign keys reference or that they are partitions
-- of, and the descendants of those whose children are wanted (below); and, to be measured, the descendants of all of them. Of an array the planner expects ten
-- members, whatever the catalog holds; with the condition on the depth, see wanted, it does not expect millions of millions.
tree AS (
  SELECT u.oid, NULL::pg_catalog.oid AS parent, w.children AND u.oid OPERATOR(pg_catalog.=) w.oid AS below,
         w.defined AND u.oid OPERATOR(pg_catalog.=) w.oid AS defined, 0 AS depth
    FROM wanted w
   CROSS JOIN LATERAL pg_catalog.unnest(
      ARRAY[w.oid, w.indrelid]
      OPERATOR(pg_catalog.||) CASE WHEN w.parents THEN ARRAY(
         SELECT k.confrelid
           FROM pg_catalog.pg_constraint k
          WHERE k.conrelid OPERATOR(pg_catalog.=) w.oid AND k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char") END
      OPERATOR(pg_catalog.||) CASE WHEN w.parents THEN ARRAY(
         SELECT h.inhparent
           FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_inherits h ON h.inhrelid OPERATOR(pg_catalog.=) c.oid
          WHERE c.oid OPERATOR(pg_catalog.=) w.oid AND c.relispartition) END) AS u(oid)
   WHERE u.oid IS NOT NULL
     AND (w.indrelid IS NULL OR u.oid OPERATOR(pg_catalog.<>) w.oid OR w.children)
   UNION
  SELECT h.inhrelid, t.oid, t.below, false, t.depth OPERATOR(pg_catalog.+) 1
    FROM tree t
   CROSS JOIN LATERAL pg_catalog.unnest(ARRAY(
      SELECT h.inhrelid
        FROM pg_catalog.pg_class p
        JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) p.oid
       WHERE p.oid OPERATOR(pg_catalog.=) t.oid AND p.relhassubclass)) AS h(inhrelid)
   WHERE t.depth OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) t.depth
),
-- Every relation once: of the trees with its size, where a relation without storage has none, and one that is busy, which cannot be opened without a wait,
-- an unknown one (NULL); and the named indexes and what is held.
member AS MATERIALIZED (
  SELECT c.*,
         CASE WHEN NOT c.stored THEN 0 WHEN NOT c.busy THEN pg_catalog.pg_relation_size(c.oid, 'main') END AS main,
         CASE WHEN NOT c.stored THEN 0 WHEN NOT c.busy THEN pg_catalog.pg_table_size(c.oid) END AS bytes
    FROM (SELECT c.*, t.described, t.defined,
                 t.measured AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'm']::pg_catalog."char"[]) AS stored,
                 COALESCE(c.oid OPERATOR(pg_catalog.=) ANY (l.busy) OR c.reltoastrelid OPERATOR(pg_catalog.=) ANY (l.busy), false) AS busy
            FROM (SELECT t.oid, pg_catalog.bool_or(t.described) AS described, pg_catalog.bool_or(t.defined) AS defined, pg_catalog.bool_or(t.measured) AS measured
                    FROM (SELECT t.oid, t.parent IS NULL OR t.below AS described, t.defined, true AS measured
                            FROM tree t WHERE t.depth OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) t.depth
                           UNION ALL
                          SELECT w.oid, false, false, false FROM wanted w WHERE w.indrelid IS NOT NULL
                           UNION ALL
                          SELECT h.oid, false, false, false FROM held h) t
                   GROUP BY t.oid) t
           -- OFFSET: one look for each of them, and not all of pg_class: the planner expects far more than there are.
           CROSS JOIN LATERAL (
              SELECT c.oid, c.relname, c.relnamespace, c.relkind, c.relpersistence, c.relowner, c.relam, c.reltablespace, c.reltoastrelid, c.relpages, c.reltuples,
                     c.relispartition, c.relpartbound, c.reloptions, c.relispopulated, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.reloftype
                FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) t.oid OFFSET 0) c
           CROSS JOIN (SELECT ARRAY(SELECT pg_catalog.unnest(ARRAY[l.relation, COALESCE(l.indrelid, l.relation)]) FROM lock l WHERE NOT l.own) AS busy) l
          OFFSET 0) c
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
  'tablespace', (SELECT y.spcname FROM pg_catalog.pg_tablespace y WHERE y.oid OPERATOR(pg_catalog.=) s.dattablespace),
  'session_user', SESSION_USER,
  'current_user', CURRENT_USER,
  'search_path', pg_catalog.current_schemas(false),
  'isolation', pg_catalog.current_setting('transaction_isolation'),
  'settings', pg_catalog.json_build_object(
     'lock_timeout', pg_catalog.current_setting('lock_timeout', true),
     'statement_timeout', pg_catalog.current_setting('statement_timeout', true),
     'idle_in_transaction_session_timeout', pg_catalog.current_setting('idle_in_transaction_session_timeout', true),
     'transaction_timeout', pg_catalog.current_setting('transaction_timeout', true),
     'deadlock_timeout', pg_catalog.current_setting('deadlock_timeout', true),
     'client_connection_check_interval', pg_catalog.current_setting('client_connection_check_interval', true),
     'client_encoding', pg_catalog.current_setting('client_encoding', true),
     'client_min_messages', pg_catalog.current_setting('client_min_messages', true),
     'default_transaction_read_only', pg_catalog.current_setting('default_transaction_read_only', true),
     'role', pg_catalog.current_setting('role', true),
     'search_path', pg_catalog.current_setting('search_path', true),
     'standard_conforming_strings', pg_catalog.current_setting('standard_conforming_strings', true),
     'DateStyle', pg_catalog.current_setting('DateStyle', true),
     'IntervalStyle', pg_catalog.current_setting('IntervalStyle', true),
     'TimeZone', pg_catalog.current_setting('TimeZone', true),
     'default_tablespace', pg_catalog.current_setting('default_tablespace', true),
     'default_table_access_method', pg_catalog.current_setting('default_table_access_method', true),
     'application_name', pg_catalog.current_setting('application_name', true),
     'pgsluice.allow', pg_catalog.current_setting('pgsluice.allow', true),
     'pgsluice.revision', pg_catalog.current_setting('pgsluice.revision', true),
     'pgsluice.actor', pg_catalog.current_setting('pgsluice.actor', true)),
  'may_probe', pg_catalog.has_database_privilege(s.database, 'TEMP') AND EXISTS (
     SELECT FROM pg_catalog.pg_language l
      WHERE l.lanname OPERATOR(pg_catalog.=) 'plpgsql' AND pg_catalog.has_language_privilege(l.oid, 'USAGE')),
  'installed', ARRAY(SELECT e.extname FROM pg_catalog.pg_extension e),
  'held', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'oid', h.oid::pg_catalog.int8, 'modes', h.modes, 'columns', (
              SELECT pg_catalog.json_agg(pg_catalog.json_build_object('num', a.attnum, 'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod)))
                FROM pg_catalog.pg_attribute a
               WHERE a.attrelid OPERATOR(pg_catalog.=) h.oid AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT a.attisdropped)))
       FROM held h),
  'created', ARRAY(SELECT r.oid::pg_catalog.int8 FROM created r),
  'names', (SELECT pg_catalog.json_agg(n)
              FROM (SELECT w.number, w.hidden, w.oid::pg_catalog.int8 AS oid, COALESCE(w.indrelid, w.oid)::pg_catalog.int8 AS "table" FROM wanted w) n),
  'edges', (SELECT pg_catalog.json_agg(e)
              FROM (SELECT t.oid::pg_catalog.int8 AS oid, t.parent::pg_catalog.int8 AS parent
                      FROM tree t WHERE t.depth OPERATOR(pg_catalog.>) 0) e),
  'members', (SELECT pg_catalog.json_agg(m)
                FROM (SELECT m.oid::pg_catalog.int8 AS oid,
                             (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid OPERATOR(pg_catalog.=) m.relnamespace) AS schema, m.relname AS name, m.relkind AS kind, m.relpersistence AS persistence,
                             COALESCE(CASE WHEN m.main OPERATOR(pg_catalog.=) 0 THEN 0
                                           WHEN m.relpages OPERATOR(pg_catalog.>) 0 AND m.reltuples OPERATOR(pg_catalog.>) 0
                                           THEN pg_catalog.ceil(m.reltuples::pg_catalog.float8 OPERATOR(pg_catalog./) m.relpages::pg_catalog.float8
                                                                OPERATOR(pg_catalog.*) (m.main::pg_catalog.float8 OPERATOR(pg_catalog./) pg_catalog.current_setting('block_size')::pg_catalog.float8))
                                      END, -1) AS rows,
                             COALESCE(m.bytes, -1) AS bytes, COALESCE(m.main OPERATOR(pg_catalog.=) 0, false) AS empty,
                             (m.relpages::pg_catalog.float8 OPERATOR(pg_catalog.*) pg_catalog.current_setting('block_size')::pg_catalog.float8)::pg_catalog.int8 AS estimated
                        FROM member m) m),
  'relations', (SELECT pg_catalog.json_agg(c)
                  FROM (SELECT c.oid::pg_catalog.int8 AS oid, pg_catalog.pg_get_userbyid(c.relowner) AS owner,
                               COALESCE(pg_catalog.pg_has_role(c.relowner, 'USAGE'), false) AS may_alter,
                               COALESCE(pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT pg_catalog.row_security_active(c.oid), false) AS readable,
                               CASE WHEN c.relispartition THEN (SELECT h.inhparent::pg_catalog.int8 FROM pg_catalog.pg_inherits h
                                                                 WHERE h.inhrelid OPERATOR(pg_catalog.=) c.oid LIMIT 1) END AS partition_of,
                               CASE WHEN c.defined THEN pg_catalog.pg_get_expr(c.relpartbound, 0) END AS bound,
                               (SELECT y.amname FROM pg_catalog.pg_am y WHERE y.oid OPERATOR(pg_catalog.=) c.relam) AS access_method,
                               (SELECT y.spcname FROM pg_catalog.pg_tablespace y WHERE y.oid OPERATOR(pg_catalog.=) c.reltablespace) AS tablespace,
                               c.reloptions AS options, c.relispopulated AS populated, c.relrowsecurity AS row_security,
                               c.relforcerowsecurity AS force_row_security, c.relreplident AS replica_identity, c.reloftype::pg_catalog.int8 AS of_type
                          FROM member c
                         WHERE c.described) c)
)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64') AS answer,
       (SELECT pg_catalog.concat_ws(' ',
                 COALESCE(pg_catalog.array_agg(m.oid) FILTER (WHERE m.described)::pg_catalog.text, '{}'),
                 COALESCE(pg_catalog.array_agg(m.oid) FILTER (WHERE m.described AND m.defined)::pg_catalog.text, '{}'),
                 ARRAY(SELECT w.oid FROM wanted w WHERE w.dependents AND w.oid IS NOT NULL)::pg_catalog.text)
          FROM member m) AS about
  FROM session s
