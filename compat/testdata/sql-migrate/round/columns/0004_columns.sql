-- +migrate Up
ALTER TABLE orders DROP COLUMN fax;
ALTER TABLE orders RENAME COLUMN status TO state;
ALTER TABLE orders ADD COLUMN note text;

-- +migrate Down
ALTER TABLE orders DROP COLUMN note;
ALTER TABLE orders RENAME COLUMN state TO status;
ALTER TABLE orders ADD COLUMN fax text;
