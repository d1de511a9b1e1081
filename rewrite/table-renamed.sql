setup
CREATE TABLE users (id serial PRIMARY KEY, name text); INSERT INTO users (name) VALUES ('a'); CREATE TABLE "Odd ""One" (a int);
INSERT INTO "Odd ""One" VALUES (1); GRANT SELECT, INSERT (name), TRUNCATE ON users TO PUBLIC
----

# The old name stays, as a view with the table's privileges.
plan before=15
ALTER TABLE users RENAME TO "Customers"
--
CREATE VIEW users AS SELECT * FROM "Customers"; GRANT SELECT, INSERT (name) ON users TO PUBLIC
----
ALTER TABLE: renaming "users" to "Customers" and leaving a view of the old name
  in place: (as it is)
    then CREATE VIEW "public"."users" AS SELECT * FROM "public"."Customers"
    then GRANT SELECT ON "public"."users" TO PUBLIC
    then GRANT INSERT ("name") ON "public"."users" TO PUBLIC
    on public.users, lock budget

plan major=15
ALTER TABLE users RENAME TO "Customers"
--
CREATE VIEW users WITH (security_invoker = true) AS SELECT * FROM "Customers"; GRANT SELECT, INSERT (name) ON users TO PUBLIC
----
ALTER TABLE: renaming "users" to "Customers" and leaving a view of the old name
  in place: (as it is)
    then CREATE VIEW "public"."users" WITH (security_invoker = true) AS SELECT * FROM "public"."Customers"
    then GRANT SELECT ON "public"."users" TO PUBLIC
    then GRANT INSERT ("name") ON "public"."users" TO PUBLIC
    on public.users, lock budget

unplanned before=15
ALTER TABLE "Odd ""One" RENAME TO even
----
ALTER TABLE: renaming "Odd \"One" to "even" and leaving a view of the old name
  in place: (as it is)
    then CREATE VIEW "public"."Odd ""One" AS SELECT * FROM "public"."even"
    on public.Odd "One, lock budget

unplanned major=15
ALTER TABLE "Odd ""One" RENAME TO even
----
ALTER TABLE: renaming "Odd \"One" to "even" and leaving a view of the old name
  in place: (as it is)
    then CREATE VIEW "public"."Odd ""One" WITH (security_invoker = true) AS SELECT * FROM "public"."even"
    on public.Odd "One, lock budget

# Before 15 the view would show the owner's rows.
setup
ALTER TABLE "Odd ""One" ENABLE ROW LEVEL SECURITY
----

unplanned before=15
ALTER TABLE "Odd ""One" RENAME TO even
----
cannot leave a view in the place of a table with row security before PostgreSQL 15: the view would show its owner's rows

# What is no table is only renamed.
unplanned
ALTER TABLE users RENAME TO customers
----
ALTER TABLE
  in place: (as it is)
    on public.users, lock budget, client's text

unplanned
ALTER TABLE missing RENAME TO found
----
ALTER TABLE
  in place: (as it is)
    on nothing, lock budget, client's text
