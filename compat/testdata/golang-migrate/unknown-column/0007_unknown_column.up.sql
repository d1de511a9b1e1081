CREATE TABLE shipments (order_id bigint PRIMARY KEY);
-- Fails: orders have no column of that name.
CREATE INDEX orders_shipped_at_idx ON orders (shipped_at);
