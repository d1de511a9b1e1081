ALTER TABLE orders DROP COLUMN fax;--> statement-breakpoint
ALTER TABLE orders RENAME COLUMN status TO state;--> statement-breakpoint
ALTER TABLE orders ADD COLUMN note text;
