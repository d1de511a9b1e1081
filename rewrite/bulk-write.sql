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
UPDATE: UPDATE of "users" runs in batches, each a transaction of its own with the statement_timeout for itself: others see some rows changed before the rest, and what is done stays done
  after commit: UPDATE ONLY "public"."users" SET n = n + 1 WHERE email = 'a' -- all of them
  OR n > 5
    on public.users
    in batches along ["id"] by OPERATOR(pg_catalog.<), each row once

plan
DELETE FROM public.users AS u WHERE u.n < 0
----
DELETE: DELETE of "users" runs in batches, each a transaction of its own with the statement_timeout for itself: others see some rows changed before the rest, and what is done stays done
  after commit: DELETE FROM ONLY "public"."users" AS u WHERE u.n < 0
    on public.users
    in batches along ["id"] by OPERATOR(pg_catalog.<)

# Of several keys the one that grows.
plan
UPDATE two SET n = 5
----
UPDATE: UPDATE of "two" runs in batches, each a transaction of its own with the statement_timeout for itself: others see some rows changed before the rest, and what is done stays done
  after commit: UPDATE ONLY "public"."two" SET n = 5
    on public.two
    in batches along ["id"] by OPERATOR(pg_catalog.<)

plan
DELETE FROM pairs WHERE n = 3
----
DELETE: DELETE of "pairs" runs in batches, each a transaction of its own with the statement_timeout for itself: others see some rows changed before the rest, and what is done stays done
  after commit: DELETE FROM ONLY "public"."pairs" WHERE n = 3
    on public.pairs
    in batches along ["a" "b"] by OPERATOR(pg_catalog.<)

# One step for each partition that has rows of it.
plan
UPDATE events SET n = events.n + 1
----
UPDATE: UPDATE of "events" runs in batches, each a transaction of its own with the statement_timeout for itself: others see some rows changed before the rest, and what is done stays done
  after commit: UPDATE ONLY "public"."Events 3" AS "events" SET n = events.n + 1
    on public.Events 3
    in batches along ["id" "day"] by OPERATOR(pg_catalog.<), each row once
  after commit: UPDATE ONLY "public"."events_1" AS "events" SET n = events.n + 1
    on public.events_1
    in batches along ["id" "day"] by OPERATOR(pg_catalog.<), each row once

plan
UPDATE events e SET n = e.n + 1 WHERE day >= '2021-01-01'
----
UPDATE: UPDATE of "events" runs in batches, each a transaction of its own with the statement_timeout for itself: others see some rows changed before the rest, and what is done stays done
  after commit: UPDATE ONLY "public"."Events 3" e SET n = e.n + 1 WHERE day >= '2021-01-01'
    on public.Events 3
    in batches along ["id" "day"] by OPERATOR(pg_catalog.<), each row once

plan
UPDATE ONLY users SET n = pairs.n FROM pairs WHERE users.id = pairs.a
----
UPDATE: UPDATE of "users" runs in batches, each a transaction of its own with the statement_timeout for itself: others see some rows changed before the rest, and what is done stays done
  after commit: UPDATE ONLY "public"."users" SET n = pairs.n FROM pairs WHERE users.id = pairs.a
    on public.users
    in batches along ["id"] by OPERATOR(pg_catalog.<), each row once, joined
