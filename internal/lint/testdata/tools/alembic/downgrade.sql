BEGIN;

-- Running downgrade 0002bbbb -> 0001aaaa

DROP INDEX ix_orders_total;

COMMIT;
