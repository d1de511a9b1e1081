-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Not of Prisma's own: its schema knows no CHECK.
ALTER TABLE "orders" ADD CONSTRAINT "orders_amount_check" CHECK ("amount" >= 0);

-- AlterTable
ALTER TABLE "orders" ALTER COLUMN "user_id" SET NOT NULL;
