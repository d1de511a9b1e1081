-- What is below relations in their trees, and with that what the other parts of the question are about: one row, one column, as of resolve.sql, whose rules it
-- obeys. Its words are "about"; the descendants to describe; two of none; the other descendants; the whole trees; and of those what the bounds are wanted of.
-- The parameter is hex of a JSON list of {oid, below, defined}: whether the descendants are to be described, and whether the bounds are wanted.
WITH RECURSIVE
tree AS (
  SELECT w.oid::pg_catalog.oid AS oid, w.below, w.defined, 0 AS depth
    FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json)
         AS w(oid pg_catalog.int8, below pg_catalog.bool, defined pg_catalog.bool)
   WHERE w.oid OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) w.oid -- see resolve.sql: so that few are expected
   UNION
  -- Of an array the planner expects ten members, whatever the catalog holds; with the condition on the depth it does not expect millions of millions.
  SELECT h.inhrelid, t.below, t.defined, t.depth OPERATOR(pg_catalog.+) 1
    FROM tree t
   CROSS JOIN LATERAL pg_catalog.unnest(ARRAY(
      SELECT h.inhrelid
        FROM pg_catalog.pg_class p
        JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) p.oid
       WHERE p.oid OPERATOR(pg_catalog.=) t.oid AND p.relhassubclass)) AS h(inhrelid)
   WHERE t.depth OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) t.depth
)
SELECT pg_catalog.concat_ws(' ', 'about',
         pg_catalog.concat('{', pg_catalog.string_agg(CASE WHEN t.below AND t.depth OPERATOR(pg_catalog.>) 0 THEN t.oid::pg_catalog.text END, ','), '}'),
         '{}', '{}',
         pg_catalog.concat('{', pg_catalog.string_agg(CASE WHEN NOT t.below AND t.depth OPERATOR(pg_catalog.>) 0 THEN t.oid::pg_catalog.text END, ','), '}'),
         pg_catalog.concat('{', pg_catalog.string_agg(t.oid::pg_catalog.text, ','), '}'),
         pg_catalog.concat('{', pg_catalog.string_agg(CASE WHEN t.defined THEN t.oid::pg_catalog.text END, ','), '}')) AS about
  FROM tree t
