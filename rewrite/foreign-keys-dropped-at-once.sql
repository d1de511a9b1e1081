setup
CREATE TABLE users (id int PRIMARY KEY, mail text UNIQUE); CREATE TABLE shops (id int PRIMARY KEY); INSERT INTO users VALUES (1, 'a'); INSERT INTO shops VALUES (1);
CREATE TABLE orders (id int PRIMARY KEY, user_id int CONSTRAINT orders_user REFERENCES users, "Shop" int CONSTRAINT "Orders Shop" REFERENCES shops,
  above int CONSTRAINT orders_above REFERENCES orders);
CREATE TABLE lines (order_id int CONSTRAINT lines_order REFERENCES orders, user_id int CONSTRAINT lines_user REFERENCES users, n int);
CREATE TABLE notes (line int, user_id int CONSTRAINT notes_user REFERENCES users, mail text CONSTRAINT notes_mail REFERENCES users (mail))
----

# One pair of tables at a time, then the column.
plan
ALTER TABLE lines DROP COLUMN user_id, ADD COLUMN m int
----
ALTER TABLE: dropping the foreign keys one by one first: 1
  in place: ALTER TABLE "public"."lines" DROP CONSTRAINT "lines_user"
    on public.lines and public.users, lock budget
  in place: (as it is)
    on public.lines, lock budget, client's text

# A key of its own, and those that reference it. The one to itself goes with the table.
plan
DROP TABLE orders CASCADE
----
DROP TABLE: dropping the foreign keys one by one first: 3
  in place: ALTER TABLE "public"."orders" DROP CONSTRAINT "Orders Shop"
    on public.orders and public.shops, lock budget
  in place: ALTER TABLE "public"."orders" DROP CONSTRAINT "orders_user"
    on public.orders and public.users, lock budget
  in place: ALTER TABLE "public"."lines" DROP CONSTRAINT "lines_order"
    on public.lines and public.orders, lock budget
  in place: (as it is)
    on public.orders and public.shops and public.users, lock budget, client's text

plan
ALTER TABLE public.users DROP COLUMN IF EXISTS missing, DROP COLUMN mail CASCADE
----
ALTER TABLE: dropping the foreign keys one by one first: 1
  in place: ALTER TABLE "public"."notes" DROP CONSTRAINT "notes_mail"
    on public.notes and public.users, lock budget
  in place: (as it is)
    on public.users, lock budget, client's text

# What the server would refuse it gets as it is, and every key is still there.
unplanned
DROP TABLE users
----
DROP TABLE
  in place: (as it is)
    on public.users, lock budget, client's text

unplanned
DROP TABLE users, missing CASCADE
----
DROP TABLE
  in place: (as it is)
    on public.users, lock budget, client's text

unplanned
ALTER TABLE users DROP COLUMN id
----
ALTER TABLE
  in place: (as it is)
    on public.users, lock budget, client's text

unplanned
ALTER TABLE notes DROP COLUMN missing, DROP COLUMN user_id
----
ALTER TABLE
  in place: (as it is)
    on public.notes, lock budget, client's text

plan
DROP TABLE IF EXISTS notes, missing, lines
----
DROP TABLE: dropping the foreign keys one by one first: 1
  in place: ALTER TABLE "public"."notes" DROP CONSTRAINT "notes_user"
    on public.notes and public.users, lock budget
  in place: (as it is)
    on public.notes and public.users and public.lines, lock budget, client's text

# A partitioned table's keys go from all its partitions at once.
setup
CREATE TABLE events (user_id int CONSTRAINT events_user REFERENCES users, at int) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10)
----

plan
DROP TABLE events
----
DROP TABLE: dropping the foreign keys one by one first: 1
  in place: ALTER TABLE "public"."events" DROP CONSTRAINT "events_user"
    on public.events and public.users, lock budget
  in place: (as it is)
    on public.events and public.users, lock budget, client's text
