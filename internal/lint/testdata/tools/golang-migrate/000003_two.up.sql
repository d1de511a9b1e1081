CREATE INDEX CONCURRENTLY orders_a ON orders (a);
ANALYZE orders;
