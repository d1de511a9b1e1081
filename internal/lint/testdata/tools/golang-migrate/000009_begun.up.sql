BEGIN;
CREATE TABLE tags (id bigint PRIMARY KEY, name text);
SET LOCAL lock_timeout = '1s';
ALTER TABLE orders ADD COLUMN tag_id bigint;
COMMIT;
COMMIT;
