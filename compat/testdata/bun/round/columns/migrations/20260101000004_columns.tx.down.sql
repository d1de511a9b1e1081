ALTER TABLE orders DROP COLUMN note;
ALTER TABLE orders RENAME COLUMN state TO status;
ALTER TABLE orders ADD COLUMN fax text;
