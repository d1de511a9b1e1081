-- AlterTable
ALTER TABLE "Order" ADD COLUMN "note" TEXT;

-- CreateIndex
CREATE UNIQUE INDEX "Order_note_key" ON "Order"("note");

-- AddForeignKey
ALTER TABLE "Order" ADD CONSTRAINT "Order_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
