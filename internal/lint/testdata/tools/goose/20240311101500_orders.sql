-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.updated_at := now();
	RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TABLE order_items (id bigserial PRIMARY KEY, order_id bigint NOT NULL);
CREATE INDEX order_items_order ON order_items (order_id);
CREATE INDEX orders_placed ON orders (placed_at);

-- +goose Down
DROP TABLE order_items;
DROP FUNCTION touch;
DROP INDEX orders_placed;
