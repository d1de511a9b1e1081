DROP INDEX orders_status_created_at_idx;
CREATE INDEX orders_status_idx ON orders (status);
