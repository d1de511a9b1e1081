-- What types.sql tells, where an array is among the names or the type of a column changes: an array stands for its own type. With the types of those columns, with what domains
-- are over, down to their base, and with what decides what becomes of the values and the indexes: rows as of resolve.sql, whose rules it obeys, in the order of addType, addCast
-- and addClass. The parameter is that of resolve.sql; of its entries types and changed matter here.
WITH RECURSIVE
type AS (
  SELECT n.schema AS written_schema, n.name AS written, n."array", true AS meant, t.*
    FROM (SELECT w.types, w.changed, CASE WHEN NOT h.hidden AND w.name OPERATOR(pg_catalog.<>) '' THEN pg_catalog.to_regclass(w.name)::pg_catalog.oid END AS oid
            FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json)
                 AS w(number pg_catalog.int4, name pg_catalog.text, schema pg_catalog.text, types pg_catalog.json, changed pg_catalog.json)
           CROSS JOIN LATERAL (SELECT COALESCE(NOT pg_catalog.has_schema_privilege(
                                         pg_catalog.to_regnamespace(pg_catalog.quote_ident(w.schema))::pg_catalog.oid, 'USAGE'), false) AS hidden OFFSET 0) h
           WHERE w.number OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) w.number -- see resolve.sql: so that few are expected
          OFFSET 0) w
   CROSS JOIN LATERAL (
      SELECT a.schema, a.name, a."array",
             (SELECT CASE WHEN a."array" THEN t.typarray ELSE t.oid END
                FROM pg_catalog.pg_type t
               WHERE t.typname OPERATOR(pg_catalog.=) a.name::pg_catalog.name
                 AND CASE WHEN a.schema OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_type_is_visible(t.oid)
                          ELSE t.typnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace(pg_catalog.quote_ident(a.schema))::pg_catalog.oid END
               LIMIT 1) AS oid
        FROM pg_catalog.json_to_recordset(w.types) AS a(schema pg_catalog.text, name pg_catalog.text, "array" pg_catalog.bool)
       WHERE a.name OPERATOR(pg_catalog.||) '' OPERATOR(pg_catalog.=) a.name
       UNION ALL
      SELECT NULL, NULL, NULL, c.atttypid
        FROM pg_catalog.json_array_elements_text(w.changed) AS n(name)
       CROSS JOIN LATERAL (SELECT c.atttypid
                             FROM pg_catalog.pg_attribute c
                            WHERE c.attrelid OPERATOR(pg_catalog.=) w.oid AND c.attname OPERATOR(pg_catalog.=) n.name::pg_catalog.name AND NOT c.attisdropped
                           OFFSET 0) c
       WHERE n.name OPERATOR(pg_catalog.||) '' OPERATOR(pg_catalog.=) n.name) n
    LEFT JOIN LATERAL (SELECT t.oid, t.typnamespace, t.typname, t.typtype, t.typcategory, t.typelem, t.typarray, t.typbasetype, t.typcollation, t.typowner,
                              t.typdefault IS NOT NULL AS has_default
                         FROM pg_catalog.pg_type t WHERE t.oid OPERATOR(pg_catalog.=) n.oid OFFSET 0) t ON true
   UNION ALL
  SELECT NULL, NULL, NULL, false, b.*
    FROM type d
   -- OFFSET: one row for each type, and not all of pg_type.
   CROSS JOIN LATERAL (SELECT t.oid, t.typnamespace, t.typname, t.typtype, t.typcategory, t.typelem, t.typarray, t.typbasetype, t.typcollation, t.typowner,
                              t.typdefault IS NOT NULL
                         FROM pg_catalog.pg_type t WHERE t.oid OPERATOR(pg_catalog.=) d.typbasetype OFFSET 0) b
   WHERE d.typtype OPERATOR(pg_catalog.=) 'd'::pg_catalog."char"
),
kin AS MATERIALIZED (
  SELECT k.bases, k.bases OPERATOR(pg_catalog.||) k.elements AS oids, k.polymorphic
    FROM (SELECT pg_catalog.array_agg(t.oid) AS bases, pg_catalog.array_agg(t.typelem) AS elements,
                 -- anyarray, anyenum, anyrange, anymultirange, record
                 pg_catalog.array_agg(CASE WHEN t.typcategory OPERATOR(pg_catalog.=) 'A'::pg_catalog."char" THEN 2277::pg_catalog.oid
                                           WHEN t.typtype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char" THEN 3500::pg_catalog.oid
                                           WHEN t.typtype OPERATOR(pg_catalog.=) 'r'::pg_catalog."char" THEN 3831::pg_catalog.oid
                                           WHEN t.typtype OPERATOR(pg_catalog.=) 'm'::pg_catalog."char" THEN 4537::pg_catalog.oid
                                           WHEN t.typtype OPERATOR(pg_catalog.=) 'c'::pg_catalog."char" THEN 2249::pg_catalog.oid END) AS polymorphic
            FROM type t
           WHERE t.typtype OPERATOR(pg_catalog.<>) 'd'::pg_catalog."char") k
),
-- Those between the types, and those to types whose operator classes they can use.
"cast" AS MATERIALIZED (
  SELECT k.castsource, k.casttarget, k.castmethod, k.castcontext, k.casttarget OPERATOR(pg_catalog.=) ANY (a.oids) AS within
    FROM kin a
    JOIN pg_catalog.pg_cast k ON k.castsource OPERATOR(pg_catalog.=) ANY (a.oids)
                             AND (k.casttarget OPERATOR(pg_catalog.=) ANY (a.oids)
                               OR k.castmethod OPERATOR(pg_catalog.=) 'b'::pg_catalog."char" AND k.castcontext OPERATOR(pg_catalog.=) 'i'::pg_catalog."char")
)
SELECT pg_catalog.encode(pg_catalog.convert_to(r.text,
  CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
  FROM (SELECT ROW('type', t.meant, t.written_schema, t.written, t."array",
                 t.oid, t.typnamespace::pg_catalog.regnamespace, t.typname, t.typtype, t.typcategory,
                 CASE WHEN t.typcategory OPERATOR(pg_catalog.=) 'A'::pg_catalog."char" THEN t.typelem END, t.typarray, pg_catalog.format_type(t.oid, -1),
                 t.has_default, t.typcollation, pg_catalog.pg_get_userbyid(t.typowner), COALESCE(pg_catalog.pg_has_role(t.typowner, 'USAGE'), false),
                 pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL)::pg_catalog.text AS text
          FROM type t
         UNION ALL
        SELECT ROW('cast', k.castsource, k.casttarget, k.castmethod, k.castcontext, k.within)::pg_catalog.text
          FROM "cast" k
         UNION ALL
        SELECT ROW('class', (SELECT y.amname FROM pg_catalog.pg_am y WHERE y.oid OPERATOR(pg_catalog.=) o.opcmethod), o.oid, o.opcintype,
                 (SELECT CASE WHEN y.typispreferred THEN y.typcategory END FROM pg_catalog.pg_type y WHERE y.oid OPERATOR(pg_catalog.=) o.opcintype))::pg_catalog.text
          FROM (SELECT a.bases OPERATOR(pg_catalog.||) a.polymorphic OPERATOR(pg_catalog.||) ARRAY(SELECT k.casttarget FROM "cast" k) AS oids FROM kin a OFFSET 0) a
          JOIN pg_catalog.pg_opclass o ON o.opcdefault AND o.opcintype OPERATOR(pg_catalog.=) ANY (a.oids)
) r
