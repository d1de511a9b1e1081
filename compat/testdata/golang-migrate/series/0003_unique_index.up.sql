-- An order's number is its own.
CREATE UNIQUE INDEX orders_number_key ON orders (number);
