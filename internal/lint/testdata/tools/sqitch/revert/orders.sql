-- Revert shop:orders from pg

BEGIN;
DROP TABLE shop.coupons;
COMMIT;
