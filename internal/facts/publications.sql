-- Which publications publish relations: a row for each of a relation, and one for each entry of a publication whose list of columns, or condition, depends on one. As of
-- resolve.sql, whose rules it obeys.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('publication', r.oid, p.pubname)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM pg_catalog.pg_class r
 CROSS JOIN pg_catalog.pg_publication p
 WHERE r.oid OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 11)::pg_catalog.oid[])
   -- By table (its partitioned ancestors included), by schema (15 and later: pg_publication_namespace, by its OID), for all tables.
   AND (p.puballtables
     OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel l
                 WHERE l.prpubid OPERATOR(pg_catalog.=) p.oid
                   AND (l.prrelid OPERATOR(pg_catalog.=) r.oid
                     OR r.relispartition AND l.prrelid OPERATOR(pg_catalog.=) ANY (ARRAY(
                          SELECT b.relid::pg_catalog.oid FROM pg_catalog.pg_partition_ancestors(r.oid) b))))
     OR EXISTS (SELECT FROM pg_catalog.pg_depend s
                  JOIN pg_catalog.pg_depend q ON q.classid OPERATOR(pg_catalog.=) s.classid AND q.objid OPERATOR(pg_catalog.=) s.objid
                 WHERE s.classid OPERATOR(pg_catalog.=) 6237::pg_catalog.oid
                   AND s.refclassid OPERATOR(pg_catalog.=) 2615::pg_catalog.oid AND s.refobjid OPERATOR(pg_catalog.=) r.relnamespace -- pg_namespace
                   AND q.refclassid OPERATOR(pg_catalog.=) 6104::pg_catalog.oid AND q.refobjid OPERATOR(pg_catalog.=) p.oid)) -- pg_publication
 UNION ALL
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('entry', l.oid, p.oid, p.pubname)::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM pg_catalog.pg_publication_rel l
  JOIN pg_catalog.pg_publication p ON p.oid OPERATOR(pg_catalog.=) l.prpubid
 WHERE l.oid OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 12)::pg_catalog.oid[])
