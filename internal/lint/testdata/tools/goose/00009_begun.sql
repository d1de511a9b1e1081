-- +goose Up
BEGIN;
CREATE TABLE tags (id bigint PRIMARY KEY, name text);
COMMIT;
-- +goose Down
DROP TABLE tags;
