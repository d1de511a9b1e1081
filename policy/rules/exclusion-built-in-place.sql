setup
CREATE TABLE bookings (room int, during int4range); INSERT INTO bookings SELECT g, int4range(g, g + 1) FROM generate_series(1, 100) g; ANALYZE bookings
----

check
ALTER TABLE bookings ADD EXCLUDE USING gist (during WITH &&)
----
block
  adding an exclusion constraint blocks reads and writes of "bookings" while every row is compared; do it in a maintenance window, or on a new table that replaces it
  detail: Table public.bookings has about 100 rows, 16 kB.
  hint: In a maintenance window: /* pgsluice:allow exclusion-built-in-place reason="..." */ ALTER TABLE bookings ADD EXCLUDE USING gist (during WITH &&);

# A new table has no rows to compare.
setup
CREATE TABLE replacement (room int, during int4range)
----

check
ALTER TABLE replacement ADD EXCLUDE USING gist (during WITH &&)
----
pass

locks
ALTER TABLE bookings ADD EXCLUDE USING gist (during WITH &&)
----
bookings AccessExclusiveLock
bookings ShareLock
bookings_during_excl AccessExclusiveLock

check small
ALTER TABLE bookings ADD EXCLUDE USING gist (during WITH &&)
----
pass

check unknown
ALTER TABLE bookings ADD EXCLUDE USING gist (during WITH &&)
----
block
  adding an exclusion constraint blocks reads and writes of "bookings" while every row is compared; do it in a maintenance window, or on a new table that replaces it
  hint: In a maintenance window: /* pgsluice:allow exclusion-built-in-place reason="..." */ ALTER TABLE bookings ADD EXCLUDE USING gist (during WITH &&);
  unknown: the size of table "bookings"

check role
/* pgsluice:allow exclusion-built-in-place reason="nobody is here at night" */ ALTER TABLE bookings ADD EXCLUDE USING gist (during WITH &&)
----
pass
  overridden: adding an exclusion constraint blocks reads and writes of "bookings" while every row is compared; do it in a maintenance window, or on a new table that replaces it
