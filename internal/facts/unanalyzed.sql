-- Of which columns the planner has no statistics: one row for each table that is asked about, a JSON text in base64. The parameter is hex of a UTF-8 JSON
-- list of {number, name, columns}. It obeys the rules of resolve.sql, but for names in schemas that the login may not use: the server has planned the statement
-- just before. Each column that the table has is told with what is known of it: "analyzed"; "guessed", where one value of it can be taken for rare, because
-- nothing is known of the whole table, or because the rows that came before the column have NULL there; else "unknown". Statistics are those of each table
-- that has rows of its own; a partition without any is not waited for. What the login may not see of them (those of partitions that it may use only through
-- their parent, those behind row security) counts as analyzed: the planner has them, and nobody else can tell.
WITH RECURSIVE
asked AS MATERIALIZED (
  SELECT w.number, w.columns, pg_catalog.to_regclass(w.name)::pg_catalog.oid AS oid
    FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json)
         AS w(number pg_catalog.int4, name pg_catalog.text, columns pg_catalog.json)
   -- Always true; without it the planner expects a hundred tables, reads whole catalogs, and where those are large compiles the query for longer than it runs.
   WHERE w.number OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) w.number
),
tree AS (
  SELECT a.number, a.oid FROM asked a WHERE a.oid IS NOT NULL
   UNION
  SELECT t.number, h.inhrelid FROM tree t JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid
),
member AS MATERIALIZED (
  SELECT t.number, c.oid, n.nspname, c.relname, z.rows,
         (NOT c.relispartition OR z.rows OPERATOR(pg_catalog.>) 0::pg_catalog.float8) AND NOT pg_catalog.row_security_active(c.oid) AS judged,
         EXISTS (SELECT FROM pg_catalog.pg_stats s
                  WHERE s.schemaname OPERATOR(pg_catalog.=) n.nspname AND s.tablename OPERATOR(pg_catalog.=) c.relname AND NOT s.inherited) AS analyzed
    FROM tree t
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.oid AND c.relkind OPERATOR(pg_catalog.=) 'r'::pg_catalog."char"
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
   CROSS JOIN LATERAL (
     SELECT GREATEST(c.reltuples::pg_catalog.float8, pg_catalog.pg_stat_get_live_tuples(c.oid)::pg_catalog.float8, 0) AS rows) z
)
SELECT pg_catalog.translate(pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object(
         'number', w.number,
         'rows', COALESCE((SELECT pg_catalog.sum(m.rows) FROM member m WHERE m.number OPERATOR(pg_catalog.=) w.number), 0),
         'columns', (
            SELECT pg_catalog.json_object_agg(a.attname, CASE WHEN l.unknown THEN 'unknown' WHEN l.unknown IS NULL THEN 'analyzed' ELSE 'guessed' END)
              FROM pg_catalog.pg_attribute a
             CROSS JOIN LATERAL (
               SELECT pg_catalog.bool_or(m.analyzed AND (a.atthasdef OR a.atthasmissing)) AS unknown
                 FROM member m
                 JOIN pg_catalog.pg_attribute b ON b.attrelid OPERATOR(pg_catalog.=) m.oid AND b.attname OPERATOR(pg_catalog.=) a.attname
                WHERE m.number OPERATOR(pg_catalog.=) w.number AND m.judged AND pg_catalog.has_column_privilege(m.oid, b.attnum, 'SELECT')
                  -- Those that are never analyzed: by what somebody has set, and because nothing is stored of them.
                  AND COALESCE(b.attstattarget::pg_catalog.int4, -1) OPERATOR(pg_catalog.<>) 0
                  AND b.attgenerated OPERATOR(pg_catalog.<>) 'v'::pg_catalog."char"
                  AND NOT EXISTS (
                        SELECT FROM pg_catalog.pg_stats s
                         WHERE s.schemaname OPERATOR(pg_catalog.=) m.nspname AND s.tablename OPERATOR(pg_catalog.=) m.relname AND NOT s.inherited
                           AND s.attname OPERATOR(pg_catalog.=) a.attname)) l
             WHERE a.attrelid OPERATOR(pg_catalog.=) w.oid AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT a.attisdropped
               AND a.attname OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT t.name::pg_catalog.name FROM pg_catalog.json_array_elements_text(w.columns) AS t(name))))
       )::pg_catalog.text,
       CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64'), E'\n', '')
  FROM asked w
 WHERE w.oid IS NOT NULL
