DROP INDEX orders_amount_key;

--bun:split

DROP TABLE shipments;
