ALTER TABLE "orders" ADD COLUMN "note" text;--> statement-breakpoint
CREATE INDEX CONCURRENTLY "orders_note" ON "orders" ("note");
