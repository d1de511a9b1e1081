setup
CREATE SCHEMA app; CREATE TABLE app.users (id int PRIMARY KEY, email text, data text); INSERT INTO app.users SELECT g, g, g FROM generate_series(1, 100) g;
CREATE INDEX "Users Email" ON app.users (email)
----

plan
REINDEX INDEX app."Users Email"
----
REINDEX: rebuilding index "Users Email" concurrently
  alone: REINDEX INDEX CONCURRENTLY "app"."Users Email"
    on app.users, rebuild

plan
reindex (verbose) table /* all */ app.users -- please
----
REINDEX: rebuilding the indexes of "users" concurrently
  alone: reindex (verbose) table CONCURRENTLY /* all */ "app"."users"
    on app.users, rebuild

setup
SET search_path = app
----

plan
REINDEX TABLE users
----
REINDEX: rebuilding the indexes of "users" concurrently
  alone: REINDEX TABLE CONCURRENTLY "app"."users"
    on app.users, rebuild

plan
REINDEX TABLE CONCURRENTLY users
----
REINDEX: rebuilding the indexes of "users" concurrently
  alone: REINDEX TABLE CONCURRENTLY "app"."users"
    on app.users, rebuild

setup
RESET search_path
----

# One partition after the other.
setup
CREATE TABLE events (id int, at int, what text) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (1000);
CREATE TABLE "Events 2" PARTITION OF events FOR VALUES FROM (1000) TO (2000) PARTITION BY LIST (id);
CREATE TABLE events_2_1 PARTITION OF "Events 2" FOR VALUES IN (1); CREATE TABLE events_2_2 PARTITION OF "Events 2" DEFAULT;
INSERT INTO events SELECT g % 3, g, g::text FROM generate_series(1, 1999) g; CREATE INDEX events_what ON events (what); CREATE INDEX events_id ON events (id)
----

plan major=14
REINDEX TABLE events
----
REINDEX: rebuilding the indexes of "events" concurrently
  alone: REINDEX TABLE CONCURRENTLY "public"."events_1"
    on public.events_1, rebuild
  alone: REINDEX TABLE CONCURRENTLY "public"."events_2_1"
    on public.events_2_1, rebuild
  alone: REINDEX TABLE CONCURRENTLY "public"."events_2_2"
    on public.events_2_2, rebuild

plan major=14
REINDEX INDEX events_what
----
REINDEX: rebuilding index "events_what" concurrently
  alone: REINDEX INDEX CONCURRENTLY "public"."events_1_what_idx"
    on public.events_1, rebuild
  alone: REINDEX INDEX CONCURRENTLY "public"."events_2_1_what_idx"
    on public.events_2_1, rebuild
  alone: REINDEX INDEX CONCURRENTLY "public"."events_2_2_what_idx"
    on public.events_2_2, rebuild

plan major=14
REINDEX INDEX "Events 2_id_idx"
----
REINDEX: rebuilding index "Events 2_id_idx" concurrently
  alone: REINDEX INDEX CONCURRENTLY "public"."events_2_1_id_idx"
    on public.events_2_1, rebuild
  alone: REINDEX INDEX CONCURRENTLY "public"."events_2_2_id_idx"
    on public.events_2_2, rebuild

unplanned
REINDEX TABLE missing
----
REINDEX
  in place: (as it is)
    on nothing, lock budget, client's text
