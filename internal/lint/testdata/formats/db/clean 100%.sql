CREATE TABLE clean (id bigint PRIMARY KEY);
