-- +migrate Up
ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0);
-- +migrate Down
ALTER TABLE orders DROP CONSTRAINT orders_total_check;
