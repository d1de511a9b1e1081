CREATE TABLE shipments (order_id bigint PRIMARY KEY);

--bun:split

-- Fails: several orders have the same amount.
CREATE UNIQUE INDEX orders_amount_key ON orders (amount);
