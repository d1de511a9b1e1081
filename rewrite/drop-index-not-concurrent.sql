setup
CREATE SCHEMA app;
CREATE TABLE users (id int PRIMARY KEY, email text); INSERT INTO users VALUES (1, 'a');
CREATE TABLE app.orders (id int); INSERT INTO app.orders VALUES (1);
CREATE INDEX users_email ON users (email); CREATE INDEX "Users Email" ON users (lower(email)); CREATE UNIQUE INDEX users_unique ON users (email);
CREATE INDEX orders_id ON app.orders (id); CREATE INDEX "Orders" ON app.orders (id); CREATE INDEX orders_id2 ON app.orders (id);
CREATE TABLE events (at int) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10);
CREATE INDEX events_at ON events (at)
----

plan
DROP INDEX users_email
----
DROP INDEX: dropping index "users_email" concurrently
  alone: DROP INDEX CONCURRENTLY "public"."users_email"
    on public.users
    index public.users_email, dropped

# One by one, in the client's spelling, wherever search_path points.
setup
SET search_path = app, public
----

plan
drop /* why */ index if exists orders_id, "Orders", missing, public."Users Email" restrict
----
DROP INDEX: dropping index "orders_id", "Orders", "Users Email" concurrently
  alone: drop /* why */ index CONCURRENTLY if exists "app"."orders_id" restrict
    on app.orders
    index app.orders_id, dropped
  alone: drop /* why */ index CONCURRENTLY if exists "app"."Orders" restrict
    on app.orders
    index app.Orders, dropped
  in place: drop /* why */ index if exists missing restrict
    on nothing
  alone: drop /* why */ index CONCURRENTLY if exists "public"."Users Email" restrict
    on public.users
    index public.Users Email, dropped

setup
RESET search_path
----

# A partitioned index has no concurrent form.
plan
DROP INDEX events_at, app.orders_id2
----
DROP INDEX: dropping index "orders_id2" concurrently
  in place: DROP INDEX "public"."events_at"
    on public.events, lock budget
  alone: DROP INDEX CONCURRENTLY "app"."orders_id2"
    on app.orders
    index app.orders_id2, dropped

# What the server refuses it gets as it is, before anything is dropped.
unplanned
DROP INDEX users_unique, users_pkey
----
DROP INDEX
  in place: (as it is)
    on public.users, lock budget, client's text

unplanned
DROP INDEX users_unique, missing
----
DROP INDEX
  in place: (as it is)
    on public.users, lock budget, client's text

unplanned
DROP INDEX users_unique, users
----
DROP INDEX
  in place: (as it is)
    on public.users, lock budget, client's text
