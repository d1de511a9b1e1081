-- Which relations are partitions or inheritance children of which in the trees that tree.sql has found: a row each, as of resolve.sql, whose rules it obeys.
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('edge', h.inhrelid, h.inhparent)::pg_catalog.text, 'SQL_ASCII'), 'base64')
  FROM pg_catalog.pg_inherits h
 WHERE h.inhparent OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($about, ' ', 6)::pg_catalog.oid[])
