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
block
  dropping column "name" of "users" destroys its values and breaks what still names it; release code without it first, then allow the drop
  detail: Table public.users has about 2 rows, 16 kB. It takes along index users_active (id, name) and index users_name_email (name, email).
  hint: 1. Release code that neither reads nor writes the column (SELECT * and INSERT without a column list included).
    2. Then, as a login named in overrides.roles:
    /* pgsluice:allow column-dropped reason="..." */ ALTER TABLE users DROP COLUMN name;

# Nobody loses anything.
check
ALTER TABLE empty DROP COLUMN a
----
pass

locks
ALTER TABLE users DROP COLUMN name
----
(uncommitted) AccessExclusiveLock
users AccessExclusiveLock

# New rows must be able to leave it out, before the code does.
check
ALTER TABLE users DROP COLUMN IF EXISTS email, DROP COLUMN score
----
block
  dropping column "email" of "users" destroys its values and breaks what still names it; release code without it first, then allow the drop
  detail: Table public.users has about 2 rows, 16 kB. It takes along constraint users_email_key and index users_name_email (name, email).
  hint: 1. Let new rows leave it out: ALTER TABLE users ALTER COLUMN email DROP NOT NULL;
    2. Release code that neither reads nor writes the column (SELECT * and INSERT without a column list included).
    3. Then, as a login named in overrides.roles:
    /* pgsluice:allow column-dropped reason="..." */ ALTER TABLE users DROP COLUMN IF EXISTS email, DROP COLUMN score;
  dropping column "score" of "users" destroys its values and breaks what still names it; release code without it first, then allow the drop
  detail: Table public.users has about 2 rows, 16 kB. It takes along constraint users_score_check.
  hint: 1. Release code that neither reads nor writes the column (SELECT * and INSERT without a column list included).
    2. Then, as a login named in overrides.roles:
    /* pgsluice:allow column-dropped reason="..." */ ALTER TABLE users DROP COLUMN IF EXISTS email, DROP COLUMN score;

check
ALTER TABLE users DROP COLUMN team
----
block
  dropping column "team" of "users" destroys its values and breaks what still names it; release code without it first, then allow the drop
  detail: Table public.users has about 2 rows, 16 kB. It takes along foreign key users_team to public.teams and index users_covering (id, team).
  hint: 1. Release code that neither reads nor writes the column (SELECT * and INSERT without a column list included).
    2. Then, as a login named in overrides.roles:
    /* pgsluice:allow column-dropped reason="..." */ ALTER TABLE users DROP COLUMN team;

# The other end of the foreign key is locked, too.
locks
ALTER TABLE users DROP COLUMN team
----
(uncommitted) AccessExclusiveLock
teams AccessExclusiveLock
users AccessExclusiveLock

check
ALTER TABLE users DROP COLUMN n
----
block
  dropping column "n" of "users" destroys its values and breaks what still names it; release code without it first, then allow the drop
  detail: Table public.users has about 2 rows, 16 kB. It takes along sequence public.users_n_seq.
  hint: 1. Release code that neither reads nor writes the column (SELECT * and INSERT without a column list included).
    2. Then, as a login named in overrides.roles:
    /* pgsluice:allow column-dropped reason="..." */ ALTER TABLE users DROP COLUMN n;

setup
CREATE VIEW names AS SELECT name FROM users; CREATE VIEW more AS SELECT * FROM names
----

check
ALTER TABLE users DROP COLUMN name
----
block
  dropping column "name" of "users" destroys its values and breaks what still names it; release code without it first, then allow the drop
  detail: Table public.users has about 2 rows, 16 kB. It takes along index users_active (id, name) and index users_name_email (name, email). The server will refuse it while it is used by view public.names and view public.more.
  hint: 1. Release code that neither reads nor writes the column (SELECT * and INSERT without a column list included).
    2. Then, as a login named in overrides.roles:
    /* pgsluice:allow column-dropped reason="..." */ ALTER TABLE users DROP COLUMN name;

check
ALTER TABLE users DROP COLUMN name CASCADE
----
block
  dropping column "name" of "users" destroys its values and breaks what still names it; release code without it first, then allow the drop
  detail: Table public.users has about 2 rows, 16 kB. It takes along index users_active (id, name) and index users_name_email (name, email). CASCADE drops view public.names and view public.more, too.
  hint: 1. Release code that neither reads nor writes the column (SELECT * and INSERT without a column list included).
    2. Then, as a login named in overrides.roles:
    /* pgsluice:allow column-dropped reason="..." */ ALTER TABLE users DROP COLUMN name CASCADE;

check
ALTER TABLE users DROP COLUMN missing
----
pass

begin
CREATE TABLE fresh AS SELECT 1 AS a, 2 AS b; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a, 2 AS b
----

check
ALTER TABLE fresh DROP COLUMN a
----
pass

check
ALTER TABLE scratch DROP COLUMN a
----
pass

rollback
----

check
ALTER TABLE users ADD COLUMN nick text
----
pass

check unknown
ALTER TABLE users DROP COLUMN name
----
block
  dropping column "name" of "users" destroys its values and breaks what still names it; release code without it first, then allow the drop
  hint: 1. Release code that neither reads nor writes the column (SELECT * and INSERT without a column list included).
    2. Then, as a login named in overrides.roles:
    /* pgsluice:allow column-dropped reason="..." */ ALTER TABLE users DROP COLUMN name;
  unknown: whether table "users" has rows

check role
/* pgsluice:allow column-dropped reason="unused since release 12" */ ALTER TABLE users DROP COLUMN name
----
pass
  overridden: dropping column "name" of "users" destroys its values and breaks what still names it; release code without it first, then allow the drop

# An attribute of a composite type is a column of the tables OF it.
setup
CREATE TYPE pair AS (a int, b int); CREATE TABLE pairs OF pair; INSERT INTO pairs VALUES (1, 2)
----

check
ALTER TYPE pair DROP ATTRIBUTE IF EXISTS b CASCADE
----
block
  dropping attribute "b" of type pair with CASCADE destroys the values of that column in every table OF it; release code without it first, then allow the drop
  detail: Table public.pairs has an unknown number of rows (it was never analyzed), 8192 bytes.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow column-dropped reason="..." */ ALTER TYPE pair DROP ATTRIBUTE IF EXISTS b CASCADE;

check
ALTER TYPE pair DROP ATTRIBUTE b
----
pass

setup
CREATE TYPE untyped AS (a int, b int); CREATE TYPE emptied AS (a int, b int); CREATE TABLE emptied_1 OF emptied
----

check
ALTER TYPE untyped DROP ATTRIBUTE b CASCADE
----
pass

check
ALTER TYPE emptied DROP ATTRIBUTE b CASCADE
----
pass

check unknown
ALTER TYPE emptied DROP ATTRIBUTE b CASCADE
----
block
  dropping attribute "b" of type emptied with CASCADE destroys the values of that column in every table OF it; release code without it first, then allow the drop
  hint: SELECT oid::regclass FROM pg_class WHERE reloftype = 'emptied'::regtype;
    If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow column-dropped reason="..." */ ALTER TYPE emptied DROP ATTRIBUTE b CASCADE;
  unknown: which tables there are OF type emptied
