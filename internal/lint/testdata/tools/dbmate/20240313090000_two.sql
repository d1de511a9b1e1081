-- migrate:up transaction:false
-- Two statements in one message are a transaction all the same.
CREATE INDEX CONCURRENTLY orders_a ON orders (a);
CREATE INDEX CONCURRENTLY orders_b ON orders (b);
-- migrate:down
