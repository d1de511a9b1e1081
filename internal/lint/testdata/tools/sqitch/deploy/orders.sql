-- Deploy shop:orders to pg

BEGIN;

CREATE TABLE shop.coupons (id bigint PRIMARY KEY);
CREATE INDEX ON shop.coupons (id);
CREATE INDEX orders_state ON shop.orders (state);

COMMIT;
