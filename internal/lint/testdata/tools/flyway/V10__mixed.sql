ALTER TABLE orders ADD COLUMN city text;
CREATE INDEX CONCURRENTLY orders_city ON orders (city);
