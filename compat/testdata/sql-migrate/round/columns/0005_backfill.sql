-- +migrate Up notransaction
UPDATE orders SET note = 'order ' || number WHERE note IS NULL;

-- +migrate Down notransaction
UPDATE orders SET note = NULL WHERE note IS NOT NULL;
