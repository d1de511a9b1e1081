CREATE UNIQUE INDEX orders_user_id_batch_key ON orders (user_id, batch);
