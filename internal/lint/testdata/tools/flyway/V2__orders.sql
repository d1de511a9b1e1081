-- placeholders are Flyway's
ALTER TABLE ${schema}.orders ADD COLUMN note text DEFAULT '${note}';
CREATE INDEX orders_note ON ${schema}.orders (note);
