setup
CREATE TABLE users (id int PRIMARY KEY, name varchar(20)); INSERT INTO users VALUES (1); CREATE TABLE empty (a int);
CREATE VIEW seen AS SELECT id, name FROM users; ANALYZE users
----

# Old code fails after it, new code before it.
check
ALTER TABLE users RENAME COLUMN name TO "Full Name"
----

check
ALTER TABLE empty RENAME a TO b
----

locks
ALTER TABLE users RENAME COLUMN name TO full_name
----

check
ALTER VIEW seen RENAME COLUMN name TO full_name
----

check
ALTER TABLE users RENAME COLUMN missing TO found
----

begin
CREATE TABLE fresh AS SELECT 1 AS a; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
ALTER TABLE fresh RENAME COLUMN a TO b
----

check
ALTER TABLE scratch RENAME COLUMN a TO b
----

rollback
----

check
ALTER TABLE users RENAME CONSTRAINT users_pkey TO users_key
----

check unknown
ALTER TABLE users RENAME COLUMN name TO full_name
----

check role
/* pgsluice:allow column-renamed reason="nothing uses it" */ ALTER TABLE users RENAME COLUMN name TO full_name
----
