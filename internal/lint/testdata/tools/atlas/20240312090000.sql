-- atlas:nolint destructive
ALTER TABLE "orders" DROP COLUMN "note";
