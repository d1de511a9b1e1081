setup
CREATE TABLE users AS SELECT g AS id, g::text AS name FROM generate_series(1, 100) g; CREATE SCHEMA app;
CREATE MATERIALIZED VIEW app."Seen" AS SELECT * FROM users; CREATE UNIQUE INDEX ON app."Seen" (id); DELETE FROM users WHERE id > 50; SET search_path = app, public
----

plan
refresh materialized view /* now */ "Seen" with data -- please
----
REFRESH MATERIALIZED VIEW: refreshing "Seen" concurrently
  in place: refresh materialized view CONCURRENTLY /* now */ "app"."Seen" with data
    on app.Seen, lock budget

setup
RESET search_path
----

unplanned
REFRESH MATERIALIZED VIEW missing
----
REFRESH MATERIALIZED VIEW
  in place: (as it is)
    on nothing, lock budget, client's text

unplanned
REFRESH MATERIALIZED VIEW app."Seen" WITH NO DATA
----
REFRESH MATERIALIZED VIEW refreshes no materialized view
