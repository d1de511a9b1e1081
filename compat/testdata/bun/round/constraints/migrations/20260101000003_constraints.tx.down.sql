ALTER TABLE orders ALTER COLUMN user_id DROP NOT NULL;
ALTER TABLE orders DROP CONSTRAINT orders_amount_check;
ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey;
