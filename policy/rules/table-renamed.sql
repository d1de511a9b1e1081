setup
CREATE TABLE users (id serial PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE empty (a int);
CREATE VIEW seen AS SELECT * FROM users; CREATE INDEX users_id ON users (id); CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM users;
ANALYZE users
----

# The code that runs knows only one of the names.
check
ALTER TABLE users RENAME TO customers
----
block
  renaming table "users" breaks code that uses the old name; leave a view of the old name in its place
  detail: Table public.users has about 1 rows, 8192 bytes. Inside the database materialized view public.counted and view public.seen will follow the new name.
  hint: In one transaction, with the grants of the table for the view: BEGIN; ALTER TABLE public.users RENAME TO customers; CREATE VIEW public.users AS SELECT * FROM public.customers; COMMIT;
    With rules: {table-renamed: rewrite} pgsluice does that. Drop the view when no code uses it any more.
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-renamed reason="..." */ ALTER TABLE users RENAME TO customers;

# No query uses the name of an index, or of a constraint.
check
ALTER INDEX users_id RENAME TO customers_id
----
pass

check
ALTER TABLE users RENAME CONSTRAINT users_pkey TO customers_pkey
----
pass

locks
ALTER TABLE users RENAME TO customers
----
customers AccessExclusiveLock

locks
ALTER INDEX users_id RENAME TO customers_id
----
customers_id ShareUpdateExclusiveLock

# On demand, the old name stays as a view.
check action=rewrite
ALTER TABLE users RENAME TO customers
----
rewrite
  renaming table "users" breaks code that uses the old name; leave a view of the old name in its place
  detail: Table public.users has about 1 rows, 8192 bytes. Inside the database materialized view public.counted and view public.seen will follow the new name.
  hint: In one transaction, with the grants of the table for the view: BEGIN; ALTER TABLE public.users RENAME TO customers; CREATE VIEW public.users AS SELECT * FROM public.customers; COMMIT;
    With rules: {table-renamed: rewrite} pgsluice does that. Drop the view when no code uses it any more.
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-renamed reason="..." */ ALTER TABLE users RENAME TO customers;

check action=warn
ALTER TABLE users RENAME TO customers
----
warn
  renaming table "users" breaks code that uses the old name; leave a view of the old name in its place
  detail: Table public.users has about 1 rows, 8192 bytes. Inside the database materialized view public.counted and view public.seen will follow the new name.
  hint: In one transaction, with the grants of the table for the view: BEGIN; ALTER TABLE public.users RENAME TO customers; CREATE VIEW public.users AS SELECT * FROM public.customers; COMMIT;
    With rules: {table-renamed: rewrite} pgsluice does that. Drop the view when no code uses it any more.
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-renamed reason="..." */ ALTER TABLE users RENAME TO customers;

check
ALTER TABLE empty RENAME TO filled
----
pass

check
ALTER VIEW seen RENAME TO looked
----
warn
  renaming view "seen" breaks code that uses the old name; make one of the new name, and drop this one later

check
ALTER MATERIALIZED VIEW counted RENAME TO numbers
----
warn
  renaming materialized view "counted" breaks code that uses the old name; make one of the new name, and drop this one later

begin
CREATE TABLE fresh AS SELECT 1 AS a; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
ALTER TABLE fresh RENAME TO older
----
pass

check
ALTER TABLE scratch RENAME TO older
----
pass

rollback
----

check
ALTER TABLE missing RENAME TO found
----
pass

check unknown
ALTER TABLE users RENAME TO "Customers"
----
block
  renaming table "users" breaks code that uses the old name; leave a view of the old name in its place
  hint: In one transaction, with the grants of the table for the view: BEGIN; ALTER TABLE users RENAME TO "Customers"; CREATE VIEW users AS SELECT * FROM "Customers"; COMMIT;
    With rules: {table-renamed: rewrite} pgsluice does that. Drop the view when no code uses it any more.
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-renamed reason="..." */ ALTER TABLE users RENAME TO "Customers";
  unknown: whether "users" is in use: its size

check role
/* pgsluice:allow table-renamed reason="nothing uses it" */ ALTER TABLE users RENAME TO customers
----
pass
  overridden: renaming table "users" breaks code that uses the old name; leave a view of the old name in its place

# ALTER TABLE renames views as well.
check
ALTER TABLE seen RENAME TO looked_at
----
warn
  renaming view "seen" breaks code that uses the old name; make one of the new name, and drop this one later

check
ALTER TABLE counted RENAME TO counts
----
warn
  renaming materialized view "counted" breaks code that uses the old name; make one of the new name, and drop this one later
