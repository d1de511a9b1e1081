-- Those of the tables with invalid indexes on which some backend may be building one, and the indexes of the tables that are valid by now: one row, one column of
-- base64 of UTF-8 JSON, by the rules of resolve.sql. The parameter is hex of a JSON list of OIDs.
WITH tables AS MATERIALIZED (
  SELECT ARRAY(SELECT t.oid::pg_catalog.oid
                 FROM pg_catalog.json_array_elements_text(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json) t(oid)) AS oids
)
SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
  'building', ARRAY(
     SELECT l.relation::pg_catalog.int8
       FROM pg_catalog.pg_lock_status() l
      -- A concurrent build, and every other one that could end, holds this lock on the table all the while.
      WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.granted AND l.mode OPERATOR(pg_catalog.=) 'ShareUpdateExclusiveLock'
        AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
        AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
        AND l.relation OPERATOR(pg_catalog.=) ANY (t.oids)),
  'valid', ARRAY(
     SELECT i.indexrelid::pg_catalog.int8 FROM pg_catalog.pg_index i WHERE i.indrelid OPERATOR(pg_catalog.=) ANY (t.oids) AND i.indisvalid)
)::pg_catalog.text, 'SQL_ASCII'), 'base64')
  FROM tables t
