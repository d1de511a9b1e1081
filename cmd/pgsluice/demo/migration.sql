BEGIN;
ALTER TABLE orders ADD COLUMN paid_at timestamptz;
CREATE INDEX ix_orders_customer_id ON orders (customer_id);
CREATE UNIQUE INDEX uq_orders_number ON orders (number);
ALTER TABLE orders ADD CONSTRAINT fk_orders_customer_id FOREIGN KEY (customer_id) REFERENCES customers (id);
ALTER TABLE orders ADD CONSTRAINT ck_orders_total CHECK (total >= 0);
UPDATE alembic_version SET version_num = 'ae1027a6acf1' WHERE version_num = '1975ea83b712';
COMMIT;
