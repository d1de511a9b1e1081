setup
CREATE TABLE users (id int)
----

check action=warn
ALTER TABLE users ADD COLUMN a int
----

check
ALTER TABLE public.users ADD COLUMN a int
----

check
CREATE TABLE orders (user_id int REFERENCES public.users)
----

check
CREATE INDEX users_id ON public.users (id)
----

check
CREATE TEMPORARY TABLE scratch (a int)
----

setup
CREATE TEMPORARY TABLE scratch (a int)
----

check
DROP TABLE scratch
----

check
SELECT * FROM users
----

check unknown
DROP TABLE users
----

locks
ALTER TABLE public.users ADD COLUMN a int
----
