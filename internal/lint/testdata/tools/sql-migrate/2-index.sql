-- +migrate Up notransaction
CREATE INDEX CONCURRENTLY orders_state ON orders (state);
-- +migrate Down
DROP INDEX CONCURRENTLY orders_state;
