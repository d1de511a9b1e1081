setup
CREATE TABLE users (id int PRIMARY KEY, email text); CREATE TABLE orders (user_id int REFERENCES users); CREATE INDEX users_email ON users (email)
----

# The client's text to the letter, run under the budget.
plan
alter  table users add column  nick text -- why
----
ALTER TABLE
  in place: alter  table users add column  nick text
    on public.users, lock budget, client's text

plan
CREATE TABLE new (user_id int REFERENCES users)
----
CREATE TABLE
  in place: (as it is)
    on public.users, lock budget, client's text

plan
CREATE INDEX users_id ON users (id)
----
CREATE INDEX
  in place: (as it is)
    on public.users, lock budget, client's text

plan
DROP INDEX users_email
----
DROP INDEX
  in place: (as it is)
    on public.users, lock budget, client's text

plan
TRUNCATE orders, users, new
----
TRUNCATE TABLE
  in place: (as it is)
    on public.orders and public.users and public.new, lock budget, client's text

# The server does not let it into a transaction.
plan
VACUUM (FULL) users
----
VACUUM
  alone: (as it is)
    on public.users, lock budget, client's text

plan
DROP TABLE orders
----
DROP TABLE
  in place: (as it is)
    on public.orders and public.users, lock budget, client's text

# There is nothing to do, but the server locks the table to see that.
plan
ALTER TABLE users ADD COLUMN IF NOT EXISTS email text
----
ALTER TABLE
  in place: (as it is)
    on public.users, lock budget, client's text
