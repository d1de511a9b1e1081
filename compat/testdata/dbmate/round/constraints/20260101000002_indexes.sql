-- migrate:up
CREATE INDEX orders_user_id_idx ON orders (user_id);
CREATE UNIQUE INDEX orders_number_key ON orders (number);

-- migrate:down
DROP INDEX orders_number_key;
DROP INDEX orders_user_id_idx;
