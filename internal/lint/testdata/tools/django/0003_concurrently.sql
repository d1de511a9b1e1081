--
-- Concurrently create index shop_state on field(s) state of model order
--
CREATE INDEX CONCURRENTLY "shop_state" ON "shop_order" ("state");
