-- Up Migration
CREATE INDEX CONCURRENTLY orders_state ON orders (state);

-- Down Migration
DROP INDEX orders_state;
