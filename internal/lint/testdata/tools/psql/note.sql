\set ON_ERROR_STOP on
\set table 'orders'
\echo it's running
BEGIN;
ALTER TABLE :table ADD COLUMN :"column" text DEFAULT :'value';
COMMIT;
CREATE INDEX CONCURRENTLY orders_state ON orders (state);
SELECT format('DROP TABLE %I', relname) FROM pg_class WHERE relname LIKE 'old%'
\gexec
\i other.sql
COPY notes FROM STDIN;
CREATE INDEX this IS data;
\.
CREATE INDEX notes_text ON notes (text);
