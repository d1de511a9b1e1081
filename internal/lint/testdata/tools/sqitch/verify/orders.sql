-- Verify shop:orders on pg

BEGIN;
SELECT id FROM shop.coupons WHERE false;
ROLLBACK;
