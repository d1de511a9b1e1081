CREATE INDEX CONCURRENTLY orders_state ON orders (state);
