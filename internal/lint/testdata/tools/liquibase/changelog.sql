--liquibase formatted sql

--changeset joe:1 labels:orders
--comment: the note
ALTER TABLE orders ADD COLUMN note text;
CREATE INDEX orders_note ON orders (note);
--rollback DROP INDEX orders_note;
--rollback ALTER TABLE orders DROP COLUMN note;

--changeset joe:2 runInTransaction:false
CREATE INDEX CONCURRENTLY orders_state ON orders (state);
--rollback DROP INDEX CONCURRENTLY orders_state;

--changeset joe:3
UPDATE orders SET note = '' WHERE note IS NULL;
--rollback empty

--changeset joe:4
CREATE TABLE coupons (id bigint PRIMARY KEY);
/* liquibase rollback
DROP TABLE coupons;
*/

--changeset joe:5 splitStatements:true endDelimiter:/
CREATE FUNCTION one() RETURNS int LANGUAGE sql BEGIN ATOMIC
  SELECT 4 / 2;
END
/
CREATE INDEX orders_city ON orders (city)
/
--rollback DROP INDEX orders_city
--rollback /
