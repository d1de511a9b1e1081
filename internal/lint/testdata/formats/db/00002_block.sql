-- +goose NO TRANSACTION
-- +goose Up
-- +goose StatementBegin
DO $größe$
BEGIN
	IF current_user = 'ü' THEN /* ü */ CREATE INDEX orders_note ON orders (note); END IF;
	EXECUTE 'DROP TABLE ' || 'customers';
	-- pgsluice:allow column-dropped reason="nobody reads it"
	ALTER TABLE orders
		DROP COLUMN city;
END $größe$;
-- +goose StatementEnd
CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'SELECT 1; DELETE FROM orders; SELECT 2';
CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'SELECT ''1''; DELETE FROM orders';
WITH gone AS (
	DELETE FROM orders RETURNING *
) SELECT count(*) FROM gone;
