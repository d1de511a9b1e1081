-- The tables whose foreign keys reference relations, and with that what the other parts of the question are about: one row, one column, as of resolve.sql, whose
-- rules it obeys. The parameter is a word of constraints, and words that follow it, each an array of OIDs: see askDepends. They stand behind those tables.
SELECT pg_catalog.concat_ws(' ', 'about', '{}', '{}', '{}', ARRAY(
         SELECT DISTINCT k.conrelid
           FROM pg_catalog.pg_constraint k
          WHERE k.oid OPERATOR(pg_catalog.=) ANY (pg_catalog.split_part($1::pg_catalog.text, ' ', 1)::pg_catalog.oid[])
            AND k.contype OPERATOR(pg_catalog.=) 'f'::pg_catalog."char")::pg_catalog.text,
         $1::pg_catalog.text) AS about
