--liquibase formatted sql

--changeset ann:backfill runInTransaction:false
UPDATE orders SET note = 'order ' || number WHERE note IS NULL;
--rollback UPDATE orders SET note = NULL WHERE note IS NOT NULL;
