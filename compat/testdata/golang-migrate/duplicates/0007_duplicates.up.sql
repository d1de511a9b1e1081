CREATE TABLE shipments (order_id bigint PRIMARY KEY);
-- Fails: several orders have the same batch.
CREATE UNIQUE INDEX orders_batch_key ON orders (batch);
