---- tern: disable-tx ----
UPDATE orders SET note = 'order ' || number WHERE note IS NULL;

---- create above / drop below ----

---- tern: disable-tx ----
UPDATE orders SET note = NULL WHERE note IS NOT NULL;
