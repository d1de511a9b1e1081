DROP TABLE orders;

--bun:split

DROP TABLE users;
