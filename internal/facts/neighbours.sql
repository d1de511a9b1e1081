-- The tables next to a relation, for resolve.sql: one row, of lists of OIDs. The tables that its foreign keys reference, and the one that it is a partition of; the foreign
-- keys that reference it, and their tables. No index of pg_constraint finds these; they depend on the columns that they reference. The catalogs have the same OIDs in
-- every database: 1259 is pg_class, 2606 pg_constraint.
SELECT CASE WHEN w.parents THEN (
          SELECT pg_catalog.string_agg(k.confrelid::pg_catalog.text, ',')
            FROM pg_catalog.pg_constraint k
           WHERE k.conrelid OPERATOR(pg_catalog.=) o.oid AND k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char") END AS parents,
       CASE WHEN w.parents THEN (
          SELECT pg_catalog.string_agg(h.inhparent::pg_catalog.text, ',')
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_inherits h ON h.inhrelid OPERATOR(pg_catalog.=) c.oid
           WHERE c.oid OPERATOR(pg_catalog.=) o.oid AND c.relispartition) END AS whole,
       pg_catalog.string_agg(k.oid::pg_catalog.text, ',') AS keys, pg_catalog.string_agg(k.conrelid::pg_catalog.text, ',') AS referencing
  FROM pg_catalog.pg_depend d
 CROSS JOIN LATERAL (SELECT k.oid, k.conrelid FROM pg_catalog.pg_constraint k
                      WHERE k.oid OPERATOR(pg_catalog.=) d.objid AND k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char" OFFSET 0) k
 WHERE w.dependents AND d.refclassid OPERATOR(pg_catalog.=) 1259::pg_catalog.oid AND d.refobjid OPERATOR(pg_catalog.=) o.oid
   AND d.classid OPERATOR(pg_catalog.=) 2606::pg_catalog.oid AND d.deptype OPERATOR(pg_catalog.=) 'n'::pg_catalog."char"
