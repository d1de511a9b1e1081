-- What depends on the relations that a statement names, as far as nearly every table has it: triggers, grants, the sequences of its columns.
-- Where anything else depends on one of them, more is true, and dependents.sql has to be asked. One row, one column of base64 of UTF-8 JSON, by the rules of resolve.sql.
WITH relation AS MATERIALIZED (
  SELECT c.*
    FROM pg_catalog.unnest(pg_catalog.split_part($about, ' ', 4)::pg_catalog.oid[]) AS u(oid)
   -- OFFSET: see columns.sql.
   CROSS JOIN LATERAL (SELECT c.oid, c.reltype, c.relowner, c.relacl, c.relpersistence FROM pg_catalog.pg_class c
                        WHERE c.oid OPERATOR(pg_catalog.=) u.oid OFFSET 0) c
),
depend AS MATERIALIZED (
  SELECT r.oid AS root, d.objid, d.refobjsubid, d.deptype, c.relkind, c.relname, c.relnamespace,
         -- What is left out of dependents.sql, too: row types, own indexes, constraints and defaults, the TOAST table.
         COALESCE(CASE WHEN d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid THEN true
                       WHEN d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
                       THEN c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['t', 'i', 'I', 'S']::pg_catalog."char"[])
                       WHEN d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass::pg_catalog.oid
                       THEN EXISTS (SELECT FROM pg_catalog.pg_attrdef f
                                     WHERE f.oid OPERATOR(pg_catalog.=) d.objid AND f.adrelid OPERATOR(pg_catalog.=) r.oid
                                       AND f.adnum OPERATOR(pg_catalog.=) d.refobjsubid OFFSET 0)
                       WHEN d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_constraint'::pg_catalog.regclass::pg_catalog.oid
                       THEN EXISTS (SELECT FROM pg_catalog.pg_constraint k
                                     WHERE k.oid OPERATOR(pg_catalog.=) d.objid AND k.conrelid OPERATOR(pg_catalog.=) r.oid
                                       AND k.confrelid OPERATOR(pg_catalog.<>) r.oid OFFSET 0)
                       WHEN d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_trigger'::pg_catalog.regclass::pg_catalog.oid
                       THEN d.refobjsubid OPERATOR(pg_catalog.=) 0 AND EXISTS (
                          SELECT FROM pg_catalog.pg_trigger g
                           WHERE g.oid OPERATOR(pg_catalog.=) d.objid AND g.tgrelid OPERATOR(pg_catalog.=) r.oid OFFSET 0)
                  END, false) AS ordinary
    FROM relation r
   CROSS JOIN LATERAL (
      SELECT d.classid, d.objid, d.refobjsubid, d.deptype
        FROM pg_catalog.pg_depend d
       WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AND d.refobjid OPERATOR(pg_catalog.=) r.oid
         AND d.deptype OPERATOR(pg_catalog.<>) 'p'::pg_catalog."char" -- pinned by the system, before 14
      OFFSET 0) d
    LEFT JOIN LATERAL (SELECT c.relkind, c.relname, c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) d.objid OFFSET 0) c
           ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
)
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
  'relations', (
     SELECT pg_catalog.json_agg(r)
       FROM (SELECT r.oid::pg_catalog.int8 AS oid,
                    EXISTS (SELECT FROM depend d WHERE d.root OPERATOR(pg_catalog.=) r.oid AND NOT d.ordinary OFFSET 0)
                    OR EXISTS (
                       SELECT FROM pg_catalog.pg_type y
                         JOIN pg_catalog.pg_depend d ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid
                                                    AND d.refobjid OPERATOR(pg_catalog.=) ANY (ARRAY[y.oid, y.typarray])
                        WHERE y.oid OPERATOR(pg_catalog.=) r.reltype AND d.deptype OPERATOR(pg_catalog.<>) 'p'::pg_catalog."char"
                          AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid
                       OFFSET 0)
                    OR EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid OPERATOR(pg_catalog.=) r.oid OFFSET 0)
                    OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
                                WHERE a.attrelid OPERATOR(pg_catalog.=) r.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped OFFSET 0)
                    OR r.relpersistence OPERATOR(pg_catalog.=) 'p'::pg_catalog."char" AND EXISTS (SELECT FROM pg_catalog.pg_publication) AS more,
                    (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                              'kind', 'sequence', 'oid', d.objid::pg_catalog.int8, 'schema', n.nspname, 'name', d.relname,
                              'column', COALESCE(a.attname, ''), 'auto', d.deptype OPERATOR(pg_catalog.<>) 'n'::pg_catalog."char")
                              ORDER BY n.nspname, d.relname)
                       FROM depend d
                       LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) d.relnamespace
                       LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) d.root AND a.attnum OPERATOR(pg_catalog.=) d.refobjsubid
                                                          AND d.refobjsubid OPERATOR(pg_catalog.>) 0
                      WHERE d.root OPERATOR(pg_catalog.=) r.oid AND d.relkind OPERATOR(pg_catalog.=) 'S'::pg_catalog."char") AS objects,
                    (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                              'oid', g.oid::pg_catalog.int8, 'name', g.tgname, 'enabled', g.tgenabled, 'bits', g.tgtype,
                              'constraint', g.tgconstraint OPERATOR(pg_catalog.<>) 0::pg_catalog.oid,
                              'function', pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(p.proname))) ORDER BY g.tgname)
                       FROM pg_catalog.pg_trigger g
                       JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) g.tgfoid
                       JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
                      WHERE g.tgrelid OPERATOR(pg_catalog.=) r.oid AND NOT g.tgisinternal) AS triggers,
                    (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                              'role', CASE WHEN g.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN '' ELSE pg_catalog.pg_get_userbyid(g.grantee) END,
                              'privilege', g.privilege_type, 'column', '', 'grantable', g.is_grantable) ORDER BY g.grantee, g.privilege_type)
                       FROM pg_catalog.aclexplode(r.relacl) g
                      WHERE g.grantee OPERATOR(pg_catalog.<>) r.relowner) AS grants
               FROM relation r) r)
)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
