ALTER TABLE orders ADD COLUMN town text;
CREATE INDEX CONCURRENTLY orders_town ON orders (town);
