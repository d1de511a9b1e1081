-- The constraints that depend on relations: a row each, in the order of addReference, as of resolve.sql, whose rules it obeys.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('reference',
         k.oid, k.conname, k.contype, k.conrelid, k.confrelid, k.conparentid, k.convalidated, k.conkey,
         pg_catalog.array_to_json(ARRAY(
            SELECT a.attname
              FROM pg_catalog.pg_attribute a
             WHERE a.attrelid OPERATOR(pg_catalog.=) k.conrelid AND a.attnum OPERATOR(pg_catalog.=) ANY (k.conkey)
             ORDER BY a.attnum)),
         k.confkey, k.confdeltype, k.confupdtype, k.conindid,
         -- Of a foreign key it waits for nobody: the names are all that is looked up.
         CASE WHEN k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char" THEN pg_catalog.pg_get_constraintdef(k.oid) END,
         EXISTS (
            SELECT FROM pg_catalog.pg_index i
              JOIN LATERAL (SELECT x.relam FROM pg_catalog.pg_class x WHERE x.oid OPERATOR(pg_catalog.=) i.indexrelid OFFSET 0) x
                ON x.relam OPERATOR(pg_catalog.=) 403::pg_catalog.oid -- btree
             WHERE i.indrelid OPERATOR(pg_catalog.=) k.conrelid AND i.indisvalid AND i.indpred IS NULL
               AND i.indnkeyatts OPERATOR(pg_catalog.>=) pg_catalog.cardinality(k.conkey)
               AND (i.indkey::pg_catalog.int2[])[0:pg_catalog.cardinality(k.conkey) OPERATOR(pg_catalog.-) 1] OPERATOR(pg_catalog.@>) k.conkey
            OFFSET 0)
       )::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM pg_catalog.pg_constraint k
 WHERE k.oid OPERATOR(pg_catalog.=) ANY ($constraints::pg_catalog.oid[])
