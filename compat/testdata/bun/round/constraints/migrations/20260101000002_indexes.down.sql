DROP INDEX orders_number_key;

--bun:split

DROP INDEX orders_user_id_idx;
