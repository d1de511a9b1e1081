setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE lone (a int); INSERT INTO lone VALUES (1);
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users); INSERT INTO orders VALUES (1, 1);
CREATE TABLE lines (order_id int REFERENCES orders); INSERT INTO lines VALUES (1);
CREATE TABLE empty (id int PRIMARY KEY); CREATE TABLE emptier (a int REFERENCES empty);
ANALYZE lone, users
----

check
TRUNCATE lone
----
block
  TRUNCATE destroys every row of "lone"; delete in batches what is not needed, or allow it
  detail: Table public.lone has about 1 rows, 8192 bytes.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-truncated reason="..." */ TRUNCATE lone;

# Nothing is lost.
check
TRUNCATE empty, emptier RESTART IDENTITY
----
pass

locks
TRUNCATE lone
----
lone AccessExclusiveLock
lone ShareLock

# It goes on to what references it, and to what references that.
check
TRUNCATE TABLE users CASCADE
----
block
  TRUNCATE users CASCADE also empties public.orders and public.lines; name the tables, and leave CASCADE out
  detail: Table public.users has about 1 rows, 8192 bytes.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-truncated reason="..." */ TRUNCATE TABLE users CASCADE;

locks
TRUNCATE TABLE users CASCADE
----
lines AccessExclusiveLock
lines ShareLock
orders AccessExclusiveLock
orders ShareLock
orders_pkey AccessExclusiveLock
users AccessExclusiveLock
users ShareLock
users_pkey AccessExclusiveLock

check
TRUNCATE empty CASCADE
----
pass

# Tables that are named are seen.
check
TRUNCATE users, orders, lines
----
block
  TRUNCATE destroys every row of "users"; delete in batches what is not needed, or allow it
  detail: Table public.users has about 1 rows, 8192 bytes.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-truncated reason="..." */ TRUNCATE users, orders, lines;
  TRUNCATE destroys every row of "orders"; delete in batches what is not needed, or allow it
  detail: Table public.orders has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-truncated reason="..." */ TRUNCATE users, orders, lines;
  TRUNCATE destroys every row of "lines"; delete in batches what is not needed, or allow it
  detail: Table public.lines has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-truncated reason="..." */ TRUNCATE users, orders, lines;

# A migration tool empties its own table.
setup
CREATE TABLE schema_migrations (version bigint not null primary key, dirty boolean not null); INSERT INTO schema_migrations VALUES (1, false)
----

check
TRUNCATE "public"."schema_migrations"
----
pass

begin
CREATE TABLE fresh AS SELECT 1 AS a; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
TRUNCATE fresh, scratch
----
pass

rollback
----

check
TRUNCATE missing
----
pass

check
DELETE FROM lone
----
pass

check unknown
TRUNCATE lone
----
block
  TRUNCATE destroys every row of "lone"; delete in batches what is not needed, or allow it
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-truncated reason="..." */ TRUNCATE lone;
  unknown: whether table "lone" has rows

check unknown
TRUNCATE lone CASCADE
----
block
  TRUNCATE lone CASCADE also empties every table that references it; name the tables, and leave CASCADE out
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-truncated reason="..." */ TRUNCATE lone CASCADE;
  unknown: whether table "lone" has rows

check role
/* pgsluice:allow table-truncated reason="a cache" */ TRUNCATE lone
----
pass
  overridden: TRUNCATE destroys every row of "lone"; delete in batches what is not needed, or allow it

# Tables without a row are emptied, too, which is no loss, and lead on to others.
setup
CREATE TABLE top (id int PRIMARY KEY); INSERT INTO top VALUES (1); CREATE TABLE middle (id int PRIMARY KEY, top_id int REFERENCES top);
CREATE TABLE looped (id int PRIMARY KEY REFERENCES top); ALTER TABLE middle ADD FOREIGN KEY (id) REFERENCES looped; ALTER TABLE looped ADD FOREIGN KEY (id) REFERENCES looped;
CREATE TABLE leaf (middle_id int REFERENCES middle); INSERT INTO leaf VALUES (NULL)
----

check
TRUNCATE top CASCADE
----
block
  TRUNCATE top CASCADE also empties public.leaf; name the tables, and leave CASCADE out
  detail: Table public.top has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-truncated reason="..." */ TRUNCATE top CASCADE;

check
TRUNCATE top, leaf CASCADE
----
block
  TRUNCATE destroys every row of "top"; delete in batches what is not needed, or allow it
  detail: Table public.top has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-truncated reason="..." */ TRUNCATE top, leaf CASCADE;
  TRUNCATE destroys every row of "leaf"; delete in batches what is not needed, or allow it
  detail: Table public.leaf has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow table-truncated reason="..." */ TRUNCATE top, leaf CASCADE;
