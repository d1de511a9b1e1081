-- CreateTable
CREATE TABLE "shipments" (
    "order_id" BIGINT NOT NULL,

    CONSTRAINT "shipments_pkey" PRIMARY KEY ("order_id")
);

-- Fails: several orders have the same amount.
CREATE UNIQUE INDEX "orders_amount_key" ON "orders"("amount");
