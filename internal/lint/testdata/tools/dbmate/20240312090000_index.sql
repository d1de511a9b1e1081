-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_state ON orders (state);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY orders_state;
