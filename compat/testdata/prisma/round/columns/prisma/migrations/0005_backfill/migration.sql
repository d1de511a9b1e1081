UPDATE "orders" SET "note" = 'order ' || "number" WHERE "note" IS NULL;
