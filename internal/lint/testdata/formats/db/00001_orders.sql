-- +goose Up
CREATE TABLE order_items (id bigserial PRIMARY KEY, order_id bigint NOT NULL);
CREATE INDEX order_items_order ON order_items (order_id);
ALTER TABLE orders
	ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE;
-- pgsluice:allow index-not-concurrent, lock-without-budget reason="ten rows, <never> more"
CREATE INDEX countries_name ON countries (name);
/* ü */ CREATE INDEX orders_note ON orders (note); CREATE INDEX orders_note ON orders (note);
-- pgsluice:allow unjudged reason="nothing to see"
SELECT 'a & b' AS "Größe, 100 %";
CREATE INDEX CONCURRENTLY orders_state ON orders (state);
-- +goose Down
CALL tidy_order_items();
ALTER TABLE orders DROP CONSTRAINT orders_customer_fk;
