DROP INDEX orders_number_key;
DROP INDEX orders_user_id_idx;
