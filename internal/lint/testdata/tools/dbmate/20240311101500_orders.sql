-- migrate:up
SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN note text;
CREATE UNIQUE INDEX orders_note_key ON orders (note);

-- migrate:down
ALTER TABLE orders DROP COLUMN note;
