BEGIN;

DROP INDEX orders_amount_key;
DROP TABLE shipments;

COMMIT;
