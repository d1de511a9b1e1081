CREATE INDEX orders_user_id_idx ON orders (user_id);

--bun:split

CREATE UNIQUE INDEX orders_number_key ON orders (number);
