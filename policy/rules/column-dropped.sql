setup
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL UNIQUE, name text, score int CHECK (score > 0), team int, n serial);
INSERT INTO users (email, score) VALUES ('a', 1), ('b', 2);
CREATE INDEX users_name_email ON users (name, email); CREATE INDEX users_active ON users (id) WHERE name IS NOT NULL;
CREATE INDEX users_covering ON users (id) INCLUDE (team);
CREATE TABLE teams (id int PRIMARY KEY); ALTER TABLE users ADD CONSTRAINT users_team FOREIGN KEY (team) REFERENCES teams;
CREATE TABLE empty (a int, b int);
ANALYZE users
----

# The indexes go, too: also those over several columns, and those that only mention it.
check
ALTER TABLE users DROP COLUMN name
----

# Nobody loses anything.
check
ALTER TABLE empty DROP COLUMN a
----

locks
ALTER TABLE users DROP COLUMN name
----

# New rows must be able to leave it out, before the code does.
check
ALTER TABLE users DROP COLUMN IF EXISTS email, DROP COLUMN score
----

check
ALTER TABLE users DROP COLUMN team
----

# The other end of the foreign key is locked, too.
locks
ALTER TABLE users DROP COLUMN team
----

check
ALTER TABLE users DROP COLUMN n
----

setup
CREATE VIEW names AS SELECT name FROM users; CREATE VIEW more AS SELECT * FROM names
----

check
ALTER TABLE users DROP COLUMN name
----

check
ALTER TABLE users DROP COLUMN name CASCADE
----

check
ALTER TABLE users DROP COLUMN missing
----

begin
CREATE TABLE fresh AS SELECT 1 AS a, 2 AS b; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a, 2 AS b
----

check
ALTER TABLE fresh DROP COLUMN a
----

check
ALTER TABLE scratch DROP COLUMN a
----

rollback
----

check
ALTER TABLE users ADD COLUMN nick text
----

check unknown
ALTER TABLE users DROP COLUMN name
----

check role
/* pgsluice:allow column-dropped reason="unused since release 12" */ ALTER TABLE users DROP COLUMN name
----
