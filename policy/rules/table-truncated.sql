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

# Nothing is lost.
check
TRUNCATE empty, emptier RESTART IDENTITY
----

locks
TRUNCATE lone
----

# It goes on to what references it, and to what references that.
check
TRUNCATE TABLE users CASCADE
----

locks
TRUNCATE TABLE users CASCADE
----

check
TRUNCATE empty CASCADE
----

# Tables that are named are seen.
check
TRUNCATE users, orders, lines
----

# A migration tool empties its own table.
setup
CREATE TABLE schema_migrations (version bigint not null primary key, dirty boolean not null); INSERT INTO schema_migrations VALUES (1, false)
----

check
TRUNCATE "public"."schema_migrations"
----

begin
CREATE TABLE fresh AS SELECT 1 AS a; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
TRUNCATE fresh, scratch
----

rollback
----

check
TRUNCATE missing
----

check
DELETE FROM lone
----

check unknown
TRUNCATE lone
----

check unknown
TRUNCATE lone CASCADE
----

check role
/* pgsluice:allow table-truncated reason="a cache" */ TRUNCATE lone
----
