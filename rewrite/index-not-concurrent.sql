setup
CREATE SCHEMA app; CREATE TYPE pair AS (x int, y int);
CREATE TABLE users (id int PRIMARY KEY, email text, score int, data jsonb, p pair, "Odd Name" text);
INSERT INTO users SELECT g, g || '@example.com', g, jsonb_build_object('k', g), (g, g)::pair, g::text FROM generate_series(1, 100) g;
CREATE TABLE app."Orders" (id int, user_id int); INSERT INTO app."Orders" SELECT g, g FROM generate_series(1, 10) g
----

plan
CREATE INDEX users_email ON users (email)
----
CREATE INDEX: building index "users_email" on "users" concurrently
  probe
  alone: CREATE INDEX CONCURRENTLY users_email ON "public"."users" (email)
    on public.users [2=email]
    index public.users_email

# The client's own spelling, and the name that the server would have chosen.
plan
create /* why */ index on "users" using btree (lower(email) desc nulls last, "Odd Name" collate "C" text_pattern_ops) -- and so on
	with (fillfactor = 70) where score > 5 and email <> $$a'b$$
----
CREATE INDEX: building index "users_lower_Odd Name_idx" on "users" concurrently
  probe
  alone: create /* why */ index CONCURRENTLY "users_lower_Odd Name_idx" on "public"."users" using btree (lower(email) desc nulls last, "Odd Name" collate "C" text_pattern_ops) -- and so on
	with (fillfactor = 70) where score > 5 and email <> $$a'b$$
    on public.users [2=email 3=score 6=Odd Name]
    index public.users_lower_Odd Name_idx

plan
CREATE INDEX ON users (email)
----
CREATE INDEX: building index "users_email_idx" on "users" concurrently
  probe
  alone: CREATE INDEX CONCURRENTLY "users_email_idx" ON "public"."users" (email)
    on public.users [2=email]
    index public.users_email_idx

plan
CREATE UNIQUE INDEX users_unique ON public.users (email, score DESC)
----
CREATE INDEX: building index "users_unique" on "users" concurrently
  probe
  check 23505 could not create unique index "users_unique"
    SELECT pg_catalog.concat('Key (email, score)=(', COALESCE((email
    )::pg_catalog.text, 'null'), ', ', COALESCE((score
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."users" WHERE (email
    ) IS NOT NULL AND (score
    ) IS NOT NULL GROUP BY email
    , score
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  alone: CREATE UNIQUE INDEX CONCURRENTLY users_unique ON "public"."users" (email, score DESC)
    on public.users [2=email 3=score]
    index public.users_unique

plan
CREATE UNIQUE INDEX IF NOT EXISTS users_lower ON users (lower(email), (score + 1)) INCLUDE (id) WHERE score IS NOT NULL
----
CREATE INDEX: building index "users_lower" on "users" concurrently
  probe
  check 23505 could not create unique index "users_lower"
    SELECT pg_catalog.concat('Key (lower(email), (score + 1))=(', COALESCE((lower(email)
    )::pg_catalog.text, 'null'), ', ', COALESCE(((score + 1)
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."users" WHERE (score IS NOT NULL
    ) AND (lower(email)
    ) IS NOT NULL AND ((score + 1)
    ) IS NOT NULL GROUP BY lower(email)
    , (score + 1)
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  alone: CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_lower ON "public"."users" (lower(email), (score + 1)) INCLUDE (id) WHERE score IS NOT NULL
    on public.users [1=id 2=email 3=score]
    index public.users_lower

plan major=15
CREATE UNIQUE INDEX ON users (email, "Odd Name") NULLS NOT DISTINCT
----
CREATE INDEX: building index "users_email_Odd Name_idx" on "users" concurrently
  probe
  check 23505 could not create unique index "users_email_Odd Name_idx"
    SELECT pg_catalog.concat('Key (email, "Odd Name")=(', COALESCE((email
    )::pg_catalog.text, 'null'), ', ', COALESCE(("Odd Name"
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."users" GROUP BY email
    , "Odd Name"
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  alone: CREATE UNIQUE INDEX CONCURRENTLY "users_email_Odd Name_idx" ON "public"."users" (email, "Odd Name") NULLS NOT DISTINCT
    on public.users [2=email 6=Odd Name]
    index public.users_email_Odd Name_idx

plan
CREATE INDEX ON users USING gin (data jsonb_path_ops)
----
CREATE INDEX: building index "users_data_idx" on "users" concurrently
  probe
  alone: CREATE INDEX CONCURRENTLY "users_data_idx" ON "public"."users" USING gin (data jsonb_path_ops)
    on public.users [4=data]
    index public.users_data_idx

plan
CREATE INDEX ON users (((p).x))
----
CREATE INDEX: building index "users_x_idx" on "users" concurrently
  probe
  alone: CREATE INDEX CONCURRENTLY "users_x_idx" ON "public"."users" (((p).x))
    on public.users [5=p]
    index public.users_x_idx

plan
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_score ON users (score)
----
CREATE INDEX: building index "users_score" on "users" concurrently
  probe
  alone: CREATE INDEX CONCURRENTLY IF NOT EXISTS users_score ON "public"."users" (score)
    on public.users [3=score]
    index public.users_score

# search_path decides now, not when the step runs.
setup
SET search_path = app
----

plan
CREATE UNIQUE INDEX ON "Orders" (user_id)
----
CREATE INDEX: building index "Orders_user_id_idx" on "Orders" concurrently
  probe
  check 23505 could not create unique index "Orders_user_id_idx"
    SELECT pg_catalog.concat('Key (user_id)=(', COALESCE((user_id
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "app"."Orders" WHERE (user_id
    ) IS NOT NULL GROUP BY user_id
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  alone: CREATE UNIQUE INDEX CONCURRENTLY "Orders_user_id_idx" ON "app"."Orders" (user_id)
    on app.Orders [2=user_id]
    index app.Orders_user_id_idx

setup
RESET search_path
----

# The whole row has another type in a copy of the table: nothing can be promised about it.
plan
CREATE INDEX users_row ON users ((users IS NULL))
----
CREATE INDEX: building index "users_row" on "users" concurrently
  no probe: the index uses the whole row, whose type a copy of the table does not have
  alone: CREATE INDEX CONCURRENTLY users_row ON "public"."users" ((users IS NULL))
    on public.users
    index public.users_row

plan
CREATE INDEX users_star ON users ((users.* IS NULL))
----
CREATE INDEX: building index "users_star" on "users" concurrently
  no probe: the index uses the whole row, whose type a copy of the table does not have
  alone: CREATE INDEX CONCURRENTLY users_star ON "public"."users" ((users.* IS NULL))
    on public.users
    index public.users_star

# A materialized view, which nobody can write to in the meantime.
setup
CREATE MATERIALIZED VIEW seen AS SELECT id, email FROM users
----

unplanned
CREATE UNIQUE INDEX ON seen (id)
----
CREATE INDEX: building index "seen_id_idx" on "seen" concurrently
  probe
  check 23505 could not create unique index "seen_id_idx"
    SELECT pg_catalog.concat('Key (id)=(', COALESCE((id
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."seen" WHERE (id
    ) IS NOT NULL GROUP BY id
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  alone: CREATE UNIQUE INDEX CONCURRENTLY "seen_id_idx" ON "public"."seen" (id)
    on public.seen [1=id]
    index public.seen_id_idx

# A quoted text in which our own quotes occur.
plan
CREATE INDEX "$pgsluice$" ON users ((email || '$pgsluice$ $pgsluice_$ \'))
----
CREATE INDEX: building index "$pgsluice$" on "users" concurrently
  probe
  alone: CREATE INDEX CONCURRENTLY "$pgsluice$" ON "public"."users" ((email || '$pgsluice$ $pgsluice_$ \'))
    on public.users [2=email]
    index public.$pgsluice$

# What the server would say about it, it says before anything is promised.
refused
CREATE INDEX nowhere ON users (missing)
----
42703 column "missing" does not exist

refused
CREATE INDEX no_class ON users (p, (data::json))
----
42704 data type json has no default operator class for access method "btree"

refused
CREATE INDEX no_method ON users USING nomethod (email)
----
42704 access method "nomethod" does not exist

refused
CREATE INDEX volatile ON users ((random() > score))
----
42P17 functions in index expression must be marked IMMUTABLE

refused
CREATE INDEX no_type ON users ((score || true + 1))
----
42883 operator does not exist: boolean + integer

refused
CREATE UNIQUE INDEX no_unique ON users USING hash (email)
----
0A000 access method "hash" does not support unique indexes

refused
CREATE INDEX no_space ON users (email) TABLESPACE nospace
----
42704 tablespace "nospace" does not exist

# So it says of the data.
setup
CREATE TABLE doubles (id int, email text, score int); INSERT INTO doubles SELECT g, 'Double@example.com', g % 2 FROM generate_series(1, 4) g
----

refused
CREATE UNIQUE INDEX doubled ON doubles (email) WHERE score > 0
----
23505 could not create unique index "doubled"
Key (email)=(Double@example.com) is duplicated.

refused
CREATE UNIQUE INDEX doubled ON doubles (lower(email) DESC, score)
----
23505 could not create unique index "doubled"
Key (lower(email), score)=(double@example.com, 1) is duplicated.

# NULLs are different from each other, unless the index says otherwise.
setup
UPDATE doubles SET email = NULL, score = 1
----

plan
CREATE UNIQUE INDEX ON doubles (email, score)
----
CREATE INDEX: building index "doubles_email_score_idx" on "doubles" concurrently
  probe
  check 23505 could not create unique index "doubles_email_score_idx"
    SELECT pg_catalog.concat('Key (email, score)=(', COALESCE((email
    )::pg_catalog.text, 'null'), ', ', COALESCE((score
    )::pg_catalog.text, 'null'), ') is duplicated.') FROM ONLY "public"."doubles" WHERE (email
    ) IS NOT NULL AND (score
    ) IS NOT NULL GROUP BY email
    , score
    HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1
  alone: CREATE UNIQUE INDEX CONCURRENTLY "doubles_email_score_idx" ON "public"."doubles" (email, score)
    on public.doubles [2=email 3=score]
    index public.doubles_email_score_idx

refused major=15
CREATE UNIQUE INDEX doubled ON doubles (email, score) NULLS NOT DISTINCT
----
23505 could not create unique index "doubled"
Key (email, score)=(null, 1) is duplicated.

# A hostile search_path changes nothing: the types' own equality is used.
setup
CREATE SCHEMA evil; CREATE FUNCTION evil.never(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR evil.= (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.never); SET search_path = evil, public, pg_catalog
----

refused
CREATE UNIQUE INDEX doubled ON doubles (score)
----
23505 could not create unique index "doubled"
Key (score)=(1) is duplicated.

setup
RESET search_path
----

# A right that is missing.
setup
DO 'BEGIN CREATE ROLE rewrite_index; EXCEPTION WHEN duplicate_object THEN NULL; END';
REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT CREATE, USAGE ON SCHEMA public TO rewrite_index;
SET ROLE rewrite_index; CREATE TABLE mine (a int); INSERT INTO mine VALUES (1);
RESET ROLE; REVOKE CREATE ON SCHEMA public FROM rewrite_index; SET ROLE rewrite_index
----

refused
CREATE INDEX mine_a ON mine (a)
----
42501 permission denied for schema public

setup
RESET ROLE; GRANT CREATE ON SCHEMA public TO rewrite_index; SET ROLE rewrite_index; SET default_tablespace = pg_global
----

refused
CREATE INDEX mine_a ON mine (a)
----
42501 permission denied for tablespace pg_global

setup
RESET ROLE; RESET default_tablespace
----

# What does not exist is the server's to name.
unplanned
CREATE INDEX ON missing (a)
----
CREATE INDEX
  in place: (as it is)
    on nothing, lock budget, client's text
