--! Previous: sha1:4911a1c19c59d6da916b89e4ded48b19ac32d25b
--! Hash: sha1:566ea93398f331c4e815f18c6f6de5f823a6a3b3
--! Message: constraints

ALTER TABLE orders ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id);
ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0);
ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL;
