DROP INDEX orders_a;
