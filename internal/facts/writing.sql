-- What decides whether an UPDATE or DELETE may be run in parts: one row, one column, base64 of UTF-8 JSON. The parameter is hex of a UTF-8 JSON
-- object: table (its name as it is written, quoted), reads (the names of what else it reads), event (the bit of pg_trigger.tgtype), functions
-- {schema, name, args: -1 for any number}, operators {schema, name}, attributes (words that may be functions of a row), settings (names). It
-- obeys the rules of resolve.sql, but for names in schemas that the login may not use: the server has planned the statement just before.
WITH RECURSIVE
asked AS MATERIALIZED (
  SELECT pg_catalog.to_regclass(a."table")::pg_catalog.oid AS oid, a.*
    FROM pg_catalog.json_to_record(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json)
         AS a("table" pg_catalog.text, reads pg_catalog.json, event pg_catalog.int2, functions pg_catalog.json, operators pg_catalog.json, attributes pg_catalog.json,
              settings pg_catalog.json)
),
tree AS (
  SELECT a.oid FROM asked a WHERE a.oid IS NOT NULL
   UNION
  SELECT h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid
),
-- What is read when one of them is: those above it, too.
above AS (
  SELECT t.oid FROM tree t
   UNION
  SELECT h.inhparent FROM above u JOIN pg_catalog.pg_inherits h ON h.inhrelid OPERATOR(pg_catalog.=) u.oid
),
-- What the statement reads, by what name, views followed to what they read.
read AS (
  SELECT r.name, pg_catalog.to_regclass(r.name)::pg_catalog.oid AS oid
    FROM asked a CROSS JOIN LATERAL pg_catalog.json_array_elements_text(a.reads) AS r(name)
   UNION
  SELECT r.name, d.refobjid
    FROM read r
    JOIN pg_catalog.pg_rewrite w ON w.ev_class OPERATOR(pg_catalog.=) r.oid AND w.rulename OPERATOR(pg_catalog.=) '_RETURN'
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) r.oid AND c.relkind OPERATOR(pg_catalog.=) 'v'::pg_catalog."char"
    JOIN pg_catalog.pg_depend d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass::pg_catalog.oid
                               AND d.objid OPERATOR(pg_catalog.=) w.oid
                               AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
),
-- Where a DELETE goes by itself.
cascade AS (
  SELECT t.oid FROM tree t
   UNION
  SELECT k.conrelid
    FROM cascade d
    JOIN pg_catalog.pg_constraint k ON k.confrelid OPERATOR(pg_catalog.=) d.oid AND k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char"
                                   AND k.confdeltype OPERATOR(pg_catalog.=) 'c'::pg_catalog."char"
),
-- The columns whose values only grow with new rows: of an identity, or by default from a sequence of their own. With a cache, each session has
-- lower ones left.
growing AS MATERIALIZED (
  SELECT n.attname
    FROM asked a
    JOIN pg_catalog.pg_attribute n ON n.attrelid OPERATOR(pg_catalog.=) a.oid AND n.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2
    JOIN pg_catalog.pg_depend d ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
                               AND d.refobjid OPERATOR(pg_catalog.=) a.oid AND d.refobjsubid OPERATOR(pg_catalog.=) n.attnum::pg_catalog.int4
                               AND d.classid OPERATOR(pg_catalog.=) d.refclassid AND d.deptype OPERATOR(pg_catalog.=) ANY (ARRAY['a', 'i']::pg_catalog."char"[])
    JOIN pg_catalog.pg_sequence s ON s.seqrelid OPERATOR(pg_catalog.=) d.objid
   WHERE s.seqincrement OPERATOR(pg_catalog.>) 0 AND NOT s.seqcycle AND s.seqcache OPERATOR(pg_catalog.=) 1
     AND (n.attidentity OPERATOR(pg_catalog.<>) ''::pg_catalog."char" OR EXISTS (
       SELECT FROM pg_catalog.pg_attrdef f
         JOIN pg_catalog.pg_depend e ON e.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass::pg_catalog.oid
                                    AND e.objid OPERATOR(pg_catalog.=) f.oid AND e.refobjid OPERATOR(pg_catalog.=) s.seqrelid
        WHERE f.adrelid OPERATOR(pg_catalog.=) n.attrelid AND f.adnum OPERATOR(pg_catalog.=) n.attnum))
),
-- The usable keys: unique btree indexes over NOT NULL columns, as the batches take them.
key AS MATERIALIZED (
  SELECT i.indrelid, i.indexrelid, c.relname, i.indisprimary, k.*
    FROM tree t
    JOIN pg_catalog.pg_index i ON i.indrelid OPERATOR(pg_catalog.=) t.oid
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid OPERATOR(pg_catalog.=) c.relam
   CROSS JOIN LATERAL (
     SELECT pg_catalog.json_agg(a.attname ORDER BY u.place) AS columns,
            pg_catalog.json_agg(pg_catalog.format('%I.%I', n.nspname, y.typname) ORDER BY u.place) AS types,
            pg_catalog.min(o.less) AS less, pg_catalog.min(o.at_most) AS at_most, pg_catalog.min(o.more) AS more, pg_catalog.count(*) AS usable,
            pg_catalog.count(DISTINCT u.option OPERATOR(pg_catalog.&) 1::pg_catalog.int2) AS directions,
            pg_catalog.count(DISTINCT pg_catalog.concat(o.less, o.at_most, o.more)) AS kinds
       FROM ROWS FROM (pg_catalog.unnest(i.indkey::pg_catalog.int2[]), pg_catalog.unnest(i.indclass::pg_catalog.oid[]),
              pg_catalog.unnest(i.indcollation::pg_catalog.oid[]), pg_catalog.unnest(i.indoption::pg_catalog.int2[])) WITH ORDINALITY
            AS u(num, class, sorted, option, place)
       JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid AND a.attnum OPERATOR(pg_catalog.=) u.num
       JOIN pg_catalog.pg_type y ON y.oid OPERATOR(pg_catalog.=) a.atttypid
       JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) y.typnamespace
       JOIN pg_catalog.pg_opclass p ON p.oid OPERATOR(pg_catalog.=) u.class
      CROSS JOIN LATERAL (
        SELECT pg_catalog.max(w.operator) FILTER (WHERE w.strategy OPERATOR(pg_catalog.=) 1::pg_catalog.int2) AS less,
               pg_catalog.max(w.operator) FILTER (WHERE w.strategy OPERATOR(pg_catalog.=) 2::pg_catalog.int2) AS at_most,
               pg_catalog.max(w.operator) FILTER (WHERE w.strategy OPERATOR(pg_catalog.=) 5::pg_catalog.int2) AS more
          FROM (SELECT s.amopstrategy AS strategy, pg_catalog.format('OPERATOR(%I.%s)', x.nspname, o.oprname) AS operator
                  FROM pg_catalog.pg_amop s
                  JOIN pg_catalog.pg_operator o ON o.oid OPERATOR(pg_catalog.=) s.amopopr
                  JOIN pg_catalog.pg_namespace x ON x.oid OPERATOR(pg_catalog.=) o.oprnamespace
                 WHERE s.amopfamily OPERATOR(pg_catalog.=) p.opcfamily AND s.amoplefttype OPERATOR(pg_catalog.=) p.opcintype
                   AND s.amoprighttype OPERATOR(pg_catalog.=) p.opcintype AND s.amoppurpose OPERATOR(pg_catalog.=) 's'::pg_catalog."char") w) o
      WHERE u.place OPERATOR(pg_catalog.<=) i.indnkeyatts::pg_catalog.int8
        AND a.attnotnull AND p.opcdefault AND u.sorted OPERATOR(pg_catalog.=) a.attcollation
        AND y.typtype OPERATOR(pg_catalog.<>) 'c'::pg_catalog."char" AND y.oid OPERATOR(pg_catalog.<>) 'pg_catalog.money'::pg_catalog.regtype::pg_catalog.oid
        AND NOT y.typname::pg_catalog.text OPERATOR(pg_catalog.^@) 'reg') k
   WHERE m.amname OPERATOR(pg_catalog.=) 'btree' AND i.indisunique AND i.indisvalid AND i.indisready AND i.indpred IS NULL AND i.indimmediate
     AND k.usable OPERATOR(pg_catalog.=) i.indnkeyatts::pg_catalog.int8 AND k.kinds OPERATOR(pg_catalog.=) 1 AND k.directions OPERATOR(pg_catalog.=) 1
),
-- Functions, and those behind operators, with what a name can mean where there are several.
routine AS MATERIALIZED (
  SELECT f.schema, f.name, f.args, 'f' AS kind, p.oid
    FROM asked a
   CROSS JOIN LATERAL pg_catalog.json_to_recordset(a.functions) AS f(schema pg_catalog.text, name pg_catalog.text, args pg_catalog.int4)
    JOIN pg_catalog.pg_proc p ON p.proname OPERATOR(pg_catalog.=) f.name::pg_catalog.name
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
   WHERE CASE WHEN f.schema OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_function_is_visible(p.oid) ELSE n.nspname OPERATOR(pg_catalog.=) f.schema::pg_catalog.name END
     AND (f.args OPERATOR(pg_catalog.<) 0 OR f.args OPERATOR(pg_catalog.>=) (p.pronargs::pg_catalog.int4 OPERATOR(pg_catalog.-) p.pronargdefaults::pg_catalog.int4
                                       OPERATOR(pg_catalog.-) (p.provariadic OPERATOR(pg_catalog.<>) 0::pg_catalog.oid)::pg_catalog.int4))
     AND (f.args OPERATOR(pg_catalog.<=) p.pronargs::pg_catalog.int4 OR p.provariadic OPERATOR(pg_catalog.<>) 0::pg_catalog.oid)
   UNION ALL
  SELECT f.schema, f.name, -1, 'o', p.oid
    FROM asked a
   CROSS JOIN LATERAL pg_catalog.json_to_recordset(a.operators) AS f(schema pg_catalog.text, name pg_catalog.text)
    JOIN pg_catalog.pg_operator o ON o.oprname OPERATOR(pg_catalog.=) f.name::pg_catalog.name
    JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) o.oprcode::pg_catalog.oid
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace
   WHERE CASE WHEN f.schema OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_operator_is_visible(o.oid) ELSE n.nspname OPERATOR(pg_catalog.=) f.schema::pg_catalog.name END
   UNION ALL
  -- What attribute notation may call: a function that takes a row, or what a row may be cast to.
  SELECT '', f.name, 1, 'a', p.oid
    FROM asked a
   CROSS JOIN LATERAL (SELECT DISTINCT e.name FROM pg_catalog.json_array_elements_text(a.attributes) AS e(name)) f
    JOIN pg_catalog.pg_proc p ON p.proname OPERATOR(pg_catalog.=) f.name::pg_catalog.name
    JOIN pg_catalog.pg_type y ON y.oid OPERATOR(pg_catalog.=) p.proargtypes[0]
   WHERE p.prokind OPERATOR(pg_catalog.=) 'f'::pg_catalog."char" AND pg_catalog.pg_function_is_visible(p.oid)
     AND p.pronargs::pg_catalog.int4 OPERATOR(pg_catalog.-) p.pronargdefaults::pg_catalog.int4 OPERATOR(pg_catalog.<=) 1
     AND (y.typtype OPERATOR(pg_catalog.=) ANY (ARRAY['c', 'd']::pg_catalog."char"[])
       OR y.typname OPERATOR(pg_catalog.=) ANY (ARRAY['record', 'any', 'anyelement', 'anynonarray', 'anycompatible', 'anycompatiblenonarray']::pg_catalog.name[])
       OR EXISTS (
         SELECT FROM pg_catalog.pg_cast k JOIN pg_catalog.pg_type z ON z.oid OPERATOR(pg_catalog.=) k.castsource
          WHERE k.casttarget OPERATOR(pg_catalog.=) y.oid AND z.typtype OPERATOR(pg_catalog.=) 'c'::pg_catalog."char"))
   UNION ALL
  SELECT '', pg_catalog.concat('cast from ', pg_catalog.format_type(k.castsource, NULL), ' to ', pg_catalog.format_type(k.casttarget, NULL)), -1, 'c', k.castfunc
    FROM pg_catalog.pg_cast k
   WHERE k.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND k.castfunc OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
)
SELECT pg_catalog.translate(pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
  'oid', a.oid::pg_catalog.int8,
  'read_only', pg_catalog.current_setting('transaction_read_only')::pg_catalog.bool,
  'row_security', pg_catalog.row_security_active(a.oid),
  'columns', (SELECT pg_catalog.json_agg(b.attname ORDER BY b.attnum) FROM pg_catalog.pg_attribute b
               WHERE b.attrelid OPERATOR(pg_catalog.=) a.oid AND NOT b.attisdropped),
  'growing', (SELECT pg_catalog.json_agg(g.attname) FROM growing g),
  'members', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'oid', c.oid::pg_catalog.int8, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
              'may', pg_catalog.has_table_privilege(c.oid, 'SELECT')
                 AND (pg_catalog.has_any_column_privilege(c.oid, 'UPDATE') OR a.event OPERATOR(pg_catalog.<>) 16::pg_catalog.int2)
                 AND (pg_catalog.has_table_privilege(c.oid, 'DELETE') OR a.event OPERATOR(pg_catalog.<>) 8::pg_catalog.int2),
              'row_security', pg_catalog.row_security_active(c.oid),
              'policies', (
                 SELECT pg_catalog.json_agg(p.polname ORDER BY p.polname)
                   FROM pg_catalog.pg_policy p
                  CROSS JOIN LATERAL (SELECT pg_catalog.concat(p.polqual, p.polwithcheck) AS tree) q
                  WHERE p.polrelid OPERATOR(pg_catalog.=) c.oid
                    -- The first words of the SQL standard are the clock's, up to 8 (LOCALTIMESTAMP); the rest name a role or a database.
                    AND (pg_catalog.strpos(q.tree, '{SUBLINK') OPERATOR(pg_catalog.>) 0 OR q.tree OPERATOR(pg_catalog.~) '{SQLVALUEFUNCTION :op [0-8] ' OR EXISTS (
                      SELECT FROM pg_catalog.regexp_matches(q.tree, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS f(id)
                        JOIN pg_catalog.pg_proc o ON o.oid OPERATOR(pg_catalog.=) f.id[1]::pg_catalog.oid
                       WHERE o.provolatile OPERATOR(pg_catalog.<>) 'i'::pg_catalog."char"))),
              -- One that is not the same for reading a row as for changing it: the ranges read the key, so that it would hold where it does not now.
              'parting', (
                 SELECT pg_catalog.json_agg(p.polname ORDER BY p.polname)
                   FROM pg_catalog.pg_policy p
                  WHERE p.polrelid OPERATOR(pg_catalog.=) c.oid
                    AND (0::pg_catalog.oid OPERATOR(pg_catalog.=) ANY (p.polroles)
                         OR EXISTS (SELECT FROM pg_catalog.unnest(p.polroles) AS r(oid) WHERE pg_catalog.pg_has_role(r.oid, 'USAGE')))
                    AND CASE p.polcmd WHEN 'r'::pg_catalog."char" THEN true
                                      WHEN 'w'::pg_catalog."char" THEN a.event OPERATOR(pg_catalog.=) 16::pg_catalog.int2
                                      WHEN 'd'::pg_catalog."char" THEN a.event OPERATOR(pg_catalog.=) 8::pg_catalog.int2
                                      WHEN '*'::pg_catalog."char" THEN a.event OPERATOR(pg_catalog.=) 16::pg_catalog.int2 AND p.polwithcheck IS NOT NULL
                                       AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) IS DISTINCT FROM pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
                                      ELSE false END),
              'rules', (
                 SELECT pg_catalog.json_agg(w.rulename ORDER BY w.rulename)
                   FROM pg_catalog.pg_rewrite w
                  WHERE w.ev_class OPERATOR(pg_catalog.=) c.oid AND w.rulename OPERATOR(pg_catalog.<>) '_RETURN' AND w.ev_enabled OPERATOR(pg_catalog.<>) 'D'::pg_catalog."char"
                    AND w.ev_type OPERATOR(pg_catalog.=) CASE WHEN a.event OPERATOR(pg_catalog.=) 8::pg_catalog.int2 THEN '4' ELSE '2' END::pg_catalog."char"),
              'triggers', (
                 SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                          'name', g.tgname, 'row', (g.tgtype OPERATOR(pg_catalog.&) 1::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0::pg_catalog.int2,
                          'deferrable', g.tgdeferrable, 'whole', g.tgoldtable IS NOT NULL OR g.tgnewtable IS NOT NULL,
                          'columns', (SELECT pg_catalog.json_agg(b.attname) FROM pg_catalog.pg_attribute b
                                       WHERE b.attrelid OPERATOR(pg_catalog.=) g.tgrelid AND b.attnum OPERATOR(pg_catalog.=) ANY (g.tgattr::pg_catalog.int2[])),
                          'schema', y.nspname, 'function', p.proname, 'language', l.lanname, 'source', p.prosrc) ORDER BY g.tgname)
                   FROM pg_catalog.pg_trigger g
                   JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) g.tgfoid
                   JOIN pg_catalog.pg_namespace y ON y.oid OPERATOR(pg_catalog.=) p.pronamespace
                   JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
                  WHERE g.tgrelid OPERATOR(pg_catalog.=) c.oid AND NOT g.tgisinternal
                    AND g.tgenabled OPERATOR(pg_catalog.=) ANY (CASE WHEN pg_catalog.current_setting('session_replication_role') OPERATOR(pg_catalog.=) 'replica'
                                                                   THEN ARRAY['R', 'A'] ELSE ARRAY['O', 'A'] END::pg_catalog."char"[])
                    AND (g.tgtype OPERATOR(pg_catalog.&) a.event) OPERATOR(pg_catalog.<>) 0::pg_catalog.int2),
              'keys', (
                 SELECT pg_catalog.json_agg(pg_catalog.json_build_object('index', k.relname, 'primary', k.indisprimary, 'columns', k.columns, 'types', k.types,
                          'less', k.less, 'at_most', k.at_most, 'more', k.more) ORDER BY k.indisprimary DESC, k.relname)
                   FROM key k WHERE k.indrelid OPERATOR(pg_catalog.=) c.oid),
              -- By all columns that they mention, expressions and predicates included; an exclusion constraint has an index, too.
              'unique', (
                 SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', x.relname, 'columns', (
                          SELECT pg_catalog.json_agg(DISTINCT b.attname)
                            FROM pg_catalog.pg_attribute b
                           WHERE b.attrelid OPERATOR(pg_catalog.=) c.oid AND (b.attnum OPERATOR(pg_catalog.=) ANY (i.indkey::pg_catalog.int2[]) OR EXISTS (
                             SELECT FROM pg_catalog.pg_depend d
                              WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
                                AND d.objid OPERATOR(pg_catalog.=) i.indexrelid AND d.refclassid OPERATOR(pg_catalog.=) d.classid
                                AND d.refobjid OPERATOR(pg_catalog.=) c.oid AND d.refobjsubid OPERATOR(pg_catalog.=) b.attnum::pg_catalog.int4)))) ORDER BY x.relname)
                   FROM pg_catalog.pg_index i
                   JOIN pg_catalog.pg_class x ON x.oid OPERATOR(pg_catalog.=) i.indexrelid
                  WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid AND (i.indisunique OR i.indisexclusion)),
              'partitioned_by', (
                 SELECT pg_catalog.json_agg(DISTINCT b.attname)
                   FROM pg_catalog.pg_partitioned_table r
                   JOIN pg_catalog.pg_attribute b ON b.attrelid OPERATOR(pg_catalog.=) r.partrelid
                  WHERE r.partrelid OPERATOR(pg_catalog.=) c.oid AND (b.attnum OPERATOR(pg_catalog.=) ANY (r.partattrs::pg_catalog.int2[]) OR EXISTS (
                    SELECT FROM pg_catalog.pg_depend d
                     WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AND d.objid OPERATOR(pg_catalog.=) c.oid
                       AND d.refobjid OPERATOR(pg_catalog.=) c.oid AND d.refobjsubid OPERATOR(pg_catalog.=) b.attnum::pg_catalog.int4)
                    AND r.partexprs IS NOT NULL)),
              'generated', (
                 SELECT pg_catalog.json_agg(b.attname ORDER BY b.attnum)
                   FROM pg_catalog.pg_attribute b
                  WHERE b.attrelid OPERATOR(pg_catalog.=) c.oid AND b.attgenerated OPERATOR(pg_catalog.<>) ''::pg_catalog."char" AND NOT b.attisdropped),
              -- The defaults that are not the same for every statement, those of identities and of domains included. (SQLVALUEFUNCTION is CURRENT_TIMESTAMP and its kin.)
              'moving_defaults', (
                 SELECT pg_catalog.json_agg(b.attname)
                   FROM pg_catalog.pg_attribute b
                   JOIN pg_catalog.pg_type y ON y.oid OPERATOR(pg_catalog.=) b.atttypid
                   LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid OPERATOR(pg_catalog.=) b.attrelid AND f.adnum OPERATOR(pg_catalog.=) b.attnum
                  CROSS JOIN LATERAL (SELECT COALESCE(f.adbin, y.typdefaultbin)::pg_catalog.text AS tree) q
                  WHERE b.attrelid OPERATOR(pg_catalog.=) c.oid AND b.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT b.attisdropped
                    AND b.attgenerated OPERATOR(pg_catalog.=) ''::pg_catalog."char"
                    AND (b.attidentity OPERATOR(pg_catalog.<>) ''::pg_catalog."char" OR pg_catalog.strpos(q.tree, 'SQLVALUEFUNCTION') OPERATOR(pg_catalog.>) 0 OR EXISTS (
                      SELECT FROM pg_catalog.regexp_matches(q.tree, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS m(id)
                        JOIN pg_catalog.pg_proc o ON o.oid OPERATOR(pg_catalog.=) m.id[1]::pg_catalog.oid
                       WHERE o.provolatile OPERATOR(pg_catalog.<>) 'i'::pg_catalog."char"))))
              ORDER BY n.nspname, c.relname)
       FROM tree t
       JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.oid
       JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace),
  'references', CASE WHEN a.event OPERATOR(pg_catalog.=) 8::pg_catalog.int2 THEN (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'name', k.conname, 'schema', n.nspname, 'table', c.relname, 'rows', c.reltuples, 'action', k.confdeltype,
              'itself', EXISTS (SELECT FROM tree s WHERE s.oid OPERATOR(pg_catalog.=) k.conrelid),
              'columns', (SELECT pg_catalog.json_agg(b.attname ORDER BY u.place)
                            FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(num, place)
                            JOIN pg_catalog.pg_attribute b ON b.attrelid OPERATOR(pg_catalog.=) k.conrelid AND b.attnum OPERATOR(pg_catalog.=) u.num),
              'covered', EXISTS (
                 SELECT FROM pg_catalog.pg_index i
                  WHERE i.indrelid OPERATOR(pg_catalog.=) k.conrelid AND i.indisvalid AND i.indpred IS NULL
                    AND k.conkey OPERATOR(pg_catalog.<@) (i.indkey::pg_catalog.int2[])[0:pg_catalog.cardinality(k.conkey) OPERATOR(pg_catalog.-) 1])) ORDER BY k.conname)
       FROM pg_catalog.pg_constraint k
       JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) k.conrelid
       JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
      WHERE k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char"
        AND EXISTS (SELECT FROM tree s WHERE s.oid OPERATOR(pg_catalog.=) k.confrelid)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint y WHERE y.oid OPERATOR(pg_catalog.=) k.conparentid)) END,
  'circular', a.event OPERATOR(pg_catalog.=) 8::pg_catalog.int2 AND EXISTS (
     SELECT FROM pg_catalog.pg_constraint k
       JOIN tree t ON t.oid OPERATOR(pg_catalog.=) k.conrelid
       JOIN cascade d ON d.oid OPERATOR(pg_catalog.=) k.confrelid
      WHERE k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char" AND NOT EXISTS (SELECT FROM tree s WHERE s.oid OPERATOR(pg_catalog.=) k.confrelid)),
  'settings', (
     SELECT pg_catalog.json_object_agg(g.name, pg_catalog.json_build_object('value', g.setting,
              'changed', NOT (COALESCE(g.setting, '') OPERATOR(pg_catalog.=) COALESCE(g.reset_val, '')),
              'privileged', g.context OPERATOR(pg_catalog.=) 'superuser'))
       FROM pg_catalog.pg_show_all_settings() g
      WHERE g.name OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT t.name FROM pg_catalog.json_array_elements_text(a.settings) AS t(name)))),
  'reads', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', r.name, 'itself', r.itself))
              FROM (SELECT r.name, pg_catalog.bool_or(u.oid IS NOT NULL) AS itself
                      FROM read r LEFT JOIN above u ON u.oid OPERATOR(pg_catalog.=) r.oid GROUP BY r.name) r),
  'routines', (
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'schema', r.schema, 'name', r.name, 'args', r.args, 'kind', r.kind,
              -- The letters are in the order of harm: i, s, v.
              'volatile', r.volatile, 'system', r.system, 'reads', r.reads))
       FROM (SELECT r.schema, r.name, r.args, r.kind,
                    -- The defaults of arguments that are left out are part of the statement: they are as volatile as what they call.
                    pg_catalog.max(CASE WHEN r.kind OPERATOR(pg_catalog.=) ANY (ARRAY['f', 'a']) AND p.pronargdefaults OPERATOR(pg_catalog.>) 0::pg_catalog.int2
                      AND r.args OPERATOR(pg_catalog.<) p.pronargs::pg_catalog.int4
                      AND (pg_catalog.strpos(p.proargdefaults::pg_catalog.text, 'SQLVALUEFUNCTION') OPERATOR(pg_catalog.>) 0 OR EXISTS (
                        SELECT FROM pg_catalog.regexp_matches(p.proargdefaults::pg_catalog.text, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS m(id)
                          JOIN pg_catalog.pg_proc o ON o.oid OPERATOR(pg_catalog.=) m.id[1]::pg_catalog.oid
                         WHERE o.provolatile OPERATOR(pg_catalog.<>) 'i'::pg_catalog."char"))
                      THEN 'v' ELSE p.provolatile::pg_catalog.text END) AS volatile,
                    pg_catalog.bool_and(p.pronamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace::pg_catalog.oid) AS system,
                    pg_catalog.bool_or(p.provolatile OPERATOR(pg_catalog.=) 's'::pg_catalog."char"
                      AND l.lanname OPERATOR(pg_catalog.<>) ALL (ARRAY['internal', 'c']::pg_catalog.name[])
                      AND p.pronamespace OPERATOR(pg_catalog.<>) 'pg_catalog'::pg_catalog.regnamespace::pg_catalog.oid) AS reads
               FROM routine r
               JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) r.oid
               JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
              GROUP BY r.schema, r.name, r.args, r.kind) r)
)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64'), E'\n', '')
  FROM asked a
