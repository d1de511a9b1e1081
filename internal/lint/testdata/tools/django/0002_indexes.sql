BEGIN;
--
-- Add field owner to order
--
ALTER TABLE "shop_order" ADD COLUMN "owner_id" bigint NULL CONSTRAINT "shop_order_owner_id_fk" REFERENCES "shop_user"("id") DEFERRABLE INITIALLY DEFERRED; SET CONSTRAINTS "shop_order_owner_id_fk" IMMEDIATE;
--
-- Create constraint shop_order_positive on model order
--
ALTER TABLE "shop_order" ADD CONSTRAINT "shop_order_positive" CHECK ("total" >= 0);
CREATE INDEX "shop_order_owner_id" ON "shop_order" ("owner_id");
COMMIT;
