-- The relations that resolve.sql has found: a row each, whose rules it obeys. In the order of addRelation.
-- A relation without storage has no size, and one that is busy, which cannot be opened without a wait, an unknown one (NULL).
SELECT pg_catalog.encode(pg_catalog.convert_to(ROW('relation',
         c.oid, c.relnamespace::pg_catalog.regnamespace, c.relname, c.relkind, c.relpersistence,
         CASE WHEN c.relkind OPERATOR(pg_catalog.<>) ALL (ARRAY['r', 'm']::pg_catalog."char"[]) THEN 0
              WHEN NOT COALESCE(c.oid OPERATOR(pg_catalog.=) ANY (a.busy) OR c.reltoastrelid OPERATOR(pg_catalog.=) ANY (a.busy), false)
              THEN pg_catalog.pg_relation_size(c.oid, 'main') END,
         CASE WHEN c.relkind OPERATOR(pg_catalog.<>) ALL (ARRAY['r', 'm']::pg_catalog."char"[]) THEN 0
              WHEN NOT COALESCE(c.oid OPERATOR(pg_catalog.=) ANY (a.busy) OR c.reltoastrelid OPERATOR(pg_catalog.=) ANY (a.busy), false)
              THEN pg_catalog.pg_table_size(c.oid) END,
         c.relpages, c.reltuples, c.relhassubclass,
         c.oid OPERATOR(pg_catalog.=) ANY (a.described),
         pg_catalog.pg_get_userbyid(c.relowner),
         COALESCE(pg_catalog.pg_has_role(c.relowner, 'USAGE'), false),
         COALESCE(pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT pg_catalog.row_security_active(c.oid), false),
         CASE WHEN c.relispartition THEN (SELECT h.inhparent FROM pg_catalog.pg_inherits h WHERE h.inhrelid OPERATOR(pg_catalog.=) c.oid LIMIT 1) END,
         CASE WHEN c.oid OPERATOR(pg_catalog.=) ANY (a.defined) THEN pg_catalog.pg_get_expr(c.relpartbound, 0) END,
         c.relam,
         CASE WHEN c.relam OPERATOR(pg_catalog.<>) ALL ($methods) THEN (SELECT y.amname FROM pg_catalog.pg_am y WHERE y.oid OPERATOR(pg_catalog.=) c.relam) END,
         CASE WHEN c.reltablespace OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
              THEN (SELECT y.spcname FROM pg_catalog.pg_tablespace y WHERE y.oid OPERATOR(pg_catalog.=) c.reltablespace) END,
         pg_catalog.array_to_json(c.reloptions), c.relispopulated, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.reloftype,
         pg_catalog.array_to_json(c.relacl)
       )::pg_catalog.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM (SELECT $busy AS busy,
               pg_catalog.split_part($about, ' ', 2)::pg_catalog.oid[] AS described,
               pg_catalog.split_part($about, ' ', 3)::pg_catalog.oid[] AS defined,
               pg_catalog.split_part($about, ' ', 5)::pg_catalog.oid[] AS others
        OFFSET 0) a
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) ANY (a.described OPERATOR(pg_catalog.||) a.others)
