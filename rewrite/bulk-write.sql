setup
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text, n int, at timestamptz);
CREATE TABLE pairs (a int, b text, n int, PRIMARY KEY (a, b)); CREATE TABLE two (code text UNIQUE NOT NULL, id serial UNIQUE, n int);
CREATE TABLE events (id bigserial, day date, n int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') PARTITION BY HASH (id);
CREATE TABLE "Events 3" PARTITION OF events_2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO users (email, n) VALUES ('a', 1); INSERT INTO pairs VALUES (1, 'x', 1); INSERT INTO two (code) VALUES ('x');
INSERT INTO events (day, n) VALUES ('2020-02-02', 1), ('2021-02-02', 1); ANALYZE
----

plan
UPDATE users SET n = n + 1 WHERE email = 'a' -- all of them
  OR n > 5
----

plan
DELETE FROM public.users AS u WHERE u.n < 0
----

# Of several keys the one that grows.
plan
UPDATE two SET n = 5
----

plan
DELETE FROM pairs WHERE n = 3
----

# One step for each partition that has rows of it.
plan
UPDATE events SET n = events.n + 1
----

plan
UPDATE events e SET n = e.n + 1 WHERE day >= '2021-01-01'
----

plan
UPDATE ONLY users SET n = pairs.n FROM pairs WHERE users.id = pairs.a
----
