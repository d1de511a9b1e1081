-- The foreign keys that reference a relation, and their tables: one row, of lists of OIDs, for resolve.sql. No index of pg_constraint finds them; they depend on
-- the columns that they reference. The catalogs have the same OIDs in every database: 1259 is pg_class, 2606 pg_constraint.
SELECT pg_catalog.string_agg(k.oid::pg_catalog.text, ',') AS keys, pg_catalog.string_agg(k.conrelid::pg_catalog.text, ',') AS referencing
  FROM pg_catalog.pg_depend d
 CROSS JOIN LATERAL (SELECT k.oid, k.conrelid FROM pg_catalog.pg_constraint k
                      WHERE k.oid OPERATOR(pg_catalog.=) d.objid AND k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char" OFFSET 0) k
 WHERE w.dependents AND d.refclassid OPERATOR(pg_catalog.=) 1259::pg_catalog.oid AND d.refobjid OPERATOR(pg_catalog.=) o.oid
   AND d.classid OPERATOR(pg_catalog.=) 2606::pg_catalog.oid AND d.deptype OPERATOR(pg_catalog.=) 'n'::pg_catalog."char"
