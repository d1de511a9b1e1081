\i other.sql
SELECT 1;
ALTER TABLE orders ADD COLUM note text;
