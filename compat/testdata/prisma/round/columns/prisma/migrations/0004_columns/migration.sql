-- AlterTable
ALTER TABLE "orders" DROP COLUMN "fax";
ALTER TABLE "orders" RENAME COLUMN "status" TO "state";
ALTER TABLE "orders" ADD COLUMN "note" TEXT;
