-- What the names stand for, as the session resolves them, and with that what the other parts of the question are about: one row, one column, of words with a
-- space between them: "about"; then, each an array of OIDs, the relations to describe, those of them whose definitions are wanted, those whose dependents
-- are wanted, and those that are to be measured and named only; then, with one place for each name, the arrays of the names' numbers, of whether the login may
-- not use the schema, of what was found, and of the table of what is an index; the relations whose writers are wanted; and the foreign keys that reference those
-- whose dependents are wanted: their tables are measured and named, too. Where parents and dependents are wanted of none, neighbours.sql is left out.
-- The parameter is hex of a UTF-8 JSON list of {number, name, schema, parents, defined, children, dependents, writers}, and of what taken.sql,
-- dependents.sql and the parts about the names of types and functions are about, which are sent with it where they are wanted.
--
-- This is true of all parts of the question. They run on 13 and later, in any transaction, as any login, and must neither fail nor wait:
--   * what comes and what goes is ASCII (OIDs, hex, base64), so that no client_encoding can fail on a name;
--   * what opens a relation (sizes, definitions) is asked under a lock_timeout of a millisecond, and where that has failed, or must not fail, only where no
--     other backend holds or awaits ACCESS EXCLUSIVE ($busy); definitions, which raise for a relation that is dropped just then, only where something
--     depends on them;
--   * to_regclass is not asked about a schema that the login may not use: there it would raise;
--   * operators are qualified too. IN, BETWEEN, LIKE and CASE x WHEN look theirs up in search_path and are not used.
-- The server opens every catalog that a part mentions before it runs it, however little of it is then read, and makes JSON, of many columns above all, slowly:
-- what is rare stands in parts of its own, what can be told from the answers of other parts is not asked, and most parts answer with rows as they are.
SELECT pg_catalog.concat_ws(' ', 'about',
         pg_catalog.concat('{', pg_catalog.string_agg(CASE WHEN w.oid IS NOT NULL THEN
            pg_catalog.concat_ws(',', COALESCE(w.indrelid, w.oid), w.parents, w.whole, CASE WHEN w.children THEN w.oid END) END, ','), '}'),
         pg_catalog.concat('{', pg_catalog.string_agg(CASE WHEN w.defined AND w.indrelid IS NULL THEN w.oid::pg_catalog.text END, ','), '}'),
         pg_catalog.concat('{', pg_catalog.string_agg(CASE WHEN w.dependents THEN w.oid::pg_catalog.text END, ','), '}'),
         pg_catalog.concat('{', pg_catalog.concat_ws(',',
            pg_catalog.string_agg(CASE WHEN w.indrelid IS NOT NULL THEN w.oid::pg_catalog.text END, ','), pg_catalog.string_agg(w.referencing, ',')), '}'),
         COALESCE(pg_catalog.array_agg(w.number)::pg_catalog.text, '{}'),
         COALESCE(pg_catalog.array_agg(w.hidden)::pg_catalog.text, '{}'),
         COALESCE(pg_catalog.array_agg(w.oid)::pg_catalog.text, '{}'),
         COALESCE(pg_catalog.array_agg(w.indrelid)::pg_catalog.text, '{}'),
         pg_catalog.concat('{', pg_catalog.string_agg(CASE WHEN w.writers THEN w.oid::pg_catalog.text END, ','), '}'),
         pg_catalog.concat('{', pg_catalog.string_agg(w.keys, ','), '}')) AS about
  FROM (SELECT w.number, w.defined, w.children, w.dependents, w.writers, h.hidden, o.oid, n.parents, n.whole, n.keys, n.referencing,
               (SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid OPERATOR(pg_catalog.=) o.oid) AS indrelid
          FROM pg_catalog.json_to_recordset(pg_catalog.convert_from(pg_catalog.decode($1::pg_catalog.text, 'hex'), 'UTF8')::pg_catalog.json)
               AS w(number pg_catalog.int4, name pg_catalog.text, schema pg_catalog.text,
                    parents pg_catalog.bool, defined pg_catalog.bool, children pg_catalog.bool, dependents pg_catalog.bool, writers pg_catalog.bool)
         CROSS JOIN LATERAL (SELECT COALESCE(NOT pg_catalog.has_schema_privilege(
                                       pg_catalog.to_regnamespace(pg_catalog.quote_ident(w.schema))::pg_catalog.oid, 'USAGE'), false) AS hidden OFFSET 0) h
         CROSS JOIN LATERAL (SELECT CASE WHEN NOT h.hidden AND w.name OPERATOR(pg_catalog.<>) '' THEN pg_catalog.to_regclass(w.name)::pg_catalog.oid END AS oid
                             OFFSET 0) o
         CROSS JOIN LATERAL ($neighbours OFFSET 0) n
        -- Always true; without it the planner expects a hundred names, reads whole catalogs, and compiles the query (jit) for longer than it runs.
        WHERE w.number OPERATOR(pg_catalog.+) 0 OPERATOR(pg_catalog.=) w.number
        OFFSET 0) w
