--! Previous: sha1:8de8fa80a92d48605673366cfb0209ec9a0829e7
--! Hash: sha1:4911a1c19c59d6da916b89e4ded48b19ac32d25b
--! Message: indexes

CREATE INDEX orders_user_id_idx ON orders (user_id);
CREATE UNIQUE INDEX orders_number_key ON orders (number);
