-- migrate:up transaction:false
UPDATE orders SET note = 'order ' || number WHERE note IS NULL;

-- migrate:down transaction:false
UPDATE orders SET note = NULL WHERE note IS NOT NULL;
