setup
CREATE TABLE users (id int)
----

check action=warn
ALTER TABLE users ADD COLUMN a int
----
warn
  what "users" means depends on search_path; write public.users

check
ALTER TABLE public.users ADD COLUMN a int
----
pass

check
CREATE TABLE orders (user_id int REFERENCES public.users)
----
block
  what "orders" means depends on search_path; write SCHEMA.orders

check
CREATE INDEX users_id ON public.users (id)
----
pass

check
CREATE TEMPORARY TABLE scratch (a int)
----
pass

setup
CREATE TEMPORARY TABLE scratch (a int)
----

check
DROP TABLE scratch
----
pass

check
SELECT * FROM users
----
pass

check unknown
DROP TABLE users
----
block
  what "users" means depends on search_path; write SCHEMA.users

locks
ALTER TABLE public.users ADD COLUMN a int
----
users AccessExclusiveLock
