-- One row if the schema is there. Asked before anything else: what is there and passes unsafe.sql cannot be swapped by
-- anyone whom we do not trust, but a schema that is not there can be made by anyone at any moment.
SELECT n.nspname
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname OPERATOR(pg_catalog.=) 'pgsluice'
