setup
CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE); INSERT INTO users (email) VALUES ('a'), ('b');
CREATE INDEX users_email ON users (email);
CREATE TABLE orders (id int PRIMARY KEY, user_id int CONSTRAINT orders_user REFERENCES users); INSERT INTO orders VALUES (1, 1);
CREATE TABLE empty (a int); CREATE TABLE "Odd ""One" (a int); INSERT INTO "Odd ""One" VALUES (1);
ANALYZE users, orders
----

# The rows are gone for good.
check
DROP TABLE orders
----
block
  dropping table "orders" destroys its rows and breaks what still uses it; release code without it first, then allow the drop
  detail: Table public.orders has about 1 rows, 8192 bytes. It takes along foreign key orders_user to public.users and its index.
  hint: Is it still read or written? SELECT seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables WHERE relid = 'public.orders'::regclass;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-dropped reason="..." */ DROP TABLE orders;

# Nobody loses anything.
check
DROP TABLE empty
----
pass

locks
DROP TABLE orders
----
(uncommitted) AccessExclusiveLock
users AccessExclusiveLock

# What is in the way is told before the server refuses it.
check
DROP TABLE users
----
block
  dropping table "users" destroys its rows and breaks what still uses it; release code without it first, then allow the drop
  detail: Table public.users has about 2 rows, 16 kB. It takes along its 3 indexes and sequence public.users_id_seq. The server will refuse it while it is used by foreign key orders_user of public.orders.
  hint: Is it still read or written? SELECT seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables WHERE relid = 'public.users'::regclass;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-dropped reason="..." */ DROP TABLE users;

setup
CREATE VIEW seen AS SELECT id FROM users
----

check
DROP TABLE IF EXISTS users CASCADE
----
block
  dropping table "users" destroys its rows and breaks what still uses it; release code without it first, then allow the drop
  detail: Table public.users has about 2 rows, 16 kB. It takes along its 3 indexes and sequence public.users_id_seq. CASCADE drops foreign key orders_user of public.orders and view public.seen, too.
  hint: Is it still read or written? SELECT seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables WHERE relid = 'public.users'::regclass;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-dropped reason="..." */ DROP TABLE IF EXISTS users CASCADE;

# What goes in the same statement is not in the way.
check
DROP TABLE users, orders, empty, missing
----
block
  dropping table "users" destroys its rows and breaks what still uses it; release code without it first, then allow the drop
  detail: Table public.users has about 2 rows, 16 kB. It takes along its 3 indexes and sequence public.users_id_seq. The server will refuse it while it is used by view public.seen.
  hint: Is it still read or written? SELECT seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables WHERE relid = 'public.users'::regclass;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-dropped reason="..." */ DROP TABLE users, orders, empty, missing;
  dropping table "orders" destroys its rows and breaks what still uses it; release code without it first, then allow the drop
  detail: Table public.orders has about 1 rows, 8192 bytes. It takes along foreign key orders_user to public.users and its index.
  hint: Is it still read or written? SELECT seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables WHERE relid = 'public.orders'::regclass;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-dropped reason="..." */ DROP TABLE users, orders, empty, missing;

check
DROP TABLE "Odd ""One"
----
block
  dropping table "Odd \"One" destroys its rows and breaks what still uses it; release code without it first, then allow the drop
  detail: Table public."Odd ""One" has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: Is it still read or written? SELECT seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables WHERE relid = 'public."Odd ""One"'::regclass;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-dropped reason="..." */ DROP TABLE "Odd ""One";

# A migration tool's own table is a table like any other here.
setup
CREATE TABLE schema_migrations (version bigint not null primary key, dirty boolean not null); INSERT INTO schema_migrations VALUES (1, false)
----

check
DROP TABLE schema_migrations
----
block
  dropping table "schema_migrations" destroys its rows and breaks what still uses it; release code without it first, then allow the drop
  detail: Table public.schema_migrations has an unknown number of rows (it was never analyzed), 8192 bytes. It takes along its index.
  hint: Is it still read or written? SELECT seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables WHERE relid = 'public.schema_migrations'::regclass;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-dropped reason="..." */ DROP TABLE schema_migrations;

begin
CREATE TABLE fresh AS SELECT 1 AS a; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
DROP TABLE fresh, scratch
----
pass

rollback
----

check
DROP TABLE missing
----
pass

check
DROP TABLE IF EXISTS missing
----
pass

# Other objects have rules of their own.
check
DROP VIEW seen
----
pass

check unknown
DROP TABLE orders
----
block
  dropping table "orders" destroys its rows and breaks what still uses it; release code without it first, then allow the drop
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-dropped reason="..." */ DROP TABLE orders;
  unknown: whether table "orders" has rows

check role
/* pgsluice:allow table-dropped reason="moved to the archive" */ DROP TABLE orders
----
pass
  overridden: dropping table "orders" destroys its rows and breaks what still uses it; release code without it first, then allow the drop

check
/* pgsluice:allow table-dropped reason="moved to the archive" */ DROP TABLE orders
----
block
  dropping table "orders" destroys its rows and breaks what still uses it; release code without it first, then allow the drop (the override in the comment does not count: login "postgres" is not in overrides.roles)
  detail: Table public.orders has about 1 rows, 8192 bytes. It takes along foreign key orders_user to public.users and its index.
  hint: Is it still read or written? SELECT seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables WHERE relid = 'public.orders'::regclass;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-dropped reason="..." */ DROP TABLE orders;

# A partition's rows are rows.
setup
CREATE TABLE events (at int) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10); INSERT INTO events VALUES (1);
CREATE TABLE hollow (at int) PARTITION BY RANGE (at); CREATE TABLE hollow_1 PARTITION OF hollow FOR VALUES FROM (1) TO (10)
----

check
DROP TABLE events
----
block
  dropping table "events" destroys its rows and breaks what still uses it; release code without it first, then allow the drop
  detail: Table public.events has an unknown number of rows (it was never analyzed) in 1 partition, 8192 bytes.
  hint: Is it still read or written? SELECT seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables WHERE relid = 'public.events'::regclass;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-dropped reason="..." */ DROP TABLE events;

check
DROP TABLE events_1
----
block
  dropping table "events_1" destroys its rows and breaks what still uses it; release code without it first, then allow the drop
  detail: Table public.events_1 has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: Is it still read or written? SELECT seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables WHERE relid = 'public.events_1'::regclass;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-dropped reason="..." */ DROP TABLE events_1;

check
DROP TABLE hollow
----
pass

# What a new partitioned table took in goes with it.
begin
CREATE TABLE around (LIKE orders) PARTITION BY LIST (id); ALTER TABLE around ATTACH PARTITION orders DEFAULT
----

check
DROP TABLE around
----
block
  dropping table "around" destroys its rows and breaks what still uses it; release code without it first, then allow the drop
  detail: Table public.around has about 1 rows in 1 partition, 8192 bytes.
  hint: Is it still read or written? SELECT seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables WHERE relid = 'public.around'::regclass;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-dropped reason="..." */ DROP TABLE around;

rollback
----
