-- +goose NO TRANSACTION
-- +goose Up
UPDATE orders SET note = 'order ' || number WHERE note IS NULL;

-- +goose Down
UPDATE orders SET note = NULL WHERE note IS NOT NULL;
