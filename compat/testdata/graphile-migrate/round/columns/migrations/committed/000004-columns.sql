--! Previous: sha1:566ea93398f331c4e815f18c6f6de5f823a6a3b3
--! Hash: sha1:1e71930c07aa702a20b3f673cc03625905076911
--! Message: columns

ALTER TABLE orders DROP COLUMN fax;
ALTER TABLE orders RENAME COLUMN status TO state;
ALTER TABLE orders ADD COLUMN note text;
