-- The tables of a shop, with pgsluice.demo_rows orders, and the version table of Alembic.
CREATE TABLE customers (
	id integer PRIMARY KEY,
	name text NOT NULL
);
INSERT INTO customers SELECT i, 'customer ' || i FROM generate_series(1, 10000) AS i;

CREATE TABLE orders (
	id bigint PRIMARY KEY,
	customer_id integer NOT NULL,
	number text NOT NULL,
	total numeric(12, 2) NOT NULL,
	note text
) WITH (fillfactor = 90);
INSERT INTO orders
SELECT i, 1 + i % 10000, 'A-' || lpad(i::text, 9, '0'), (i % 100000) / 100.0, repeat('x', 40)
FROM generate_series(1, current_setting('pgsluice.demo_rows')::bigint) AS i;

CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('1975ea83b712');

ANALYZE;
