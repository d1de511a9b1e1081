-- migrate:up
CREATE TABLE shipments (order_id bigint PRIMARY KEY);
-- Fails: several orders have the same amount.
CREATE UNIQUE INDEX orders_amount_key ON orders (amount);

-- migrate:down
DROP INDEX orders_amount_key;
DROP TABLE shipments;
