CREATE INDEX CONCURRENTLY "Order_state_idx" ON "Order"("state");
