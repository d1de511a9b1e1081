setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE groups (id int PRIMARY KEY); CREATE TABLE orders (user_id int)
----

meanwhile
INSERT INTO users VALUES (2); SELECT * FROM groups
----

# The table is new, but writers of the old one wait.
check busy=125
CREATE TABLE members (user_id int REFERENCES users, group_id int REFERENCES groups)
----
warn
  writers of "users" queue behind this while it waits for a transaction that has been open for 2m5s; run it when that has ended
  hint: Which it is: SELECT a.pid, a.usename, a.state, a.xact_start FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE l.relation = 'public.users'::regclass;

check busy=3600
ALTER TABLE orders ADD COLUMN other int REFERENCES public.users
----
warn
  writers of "users" queue behind this while it waits for a transaction that has been open for 1h0m0s; run it when that has ended
  hint: Which it is: SELECT a.pid, a.usename, a.state, a.xact_start FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE l.relation = 'public.users'::regclass;

check busy=5
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID
----
warn
  writers of "users" queue behind this while it waits for a transaction that has been open for 5s; run it when that has ended
  hint: Which it is: SELECT a.pid, a.usename, a.state, a.xact_start FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE l.relation = 'public.users'::regclass;

# A transaction that goes on for a moment is waited for.
check busy=4
CREATE TABLE members (user_id int REFERENCES users)
----
pass

# Who only reads is in nobody's way.
check busy=125
CREATE TABLE members (group_id int REFERENCES groups)
----
pass

check busy=125
CREATE TABLE IF NOT EXISTS orders (user_id int REFERENCES users)
----
pass

check busy=125
ALTER TABLE orders ADD COLUMN a int
----
pass

# What goes on when a file is read says nothing about when it is run.
check busy=125 file
CREATE TABLE members (user_id int REFERENCES users)
----
pass

check unknown
CREATE TABLE members (user_id int REFERENCES users)
----
pass

meanwhile
----

check busy=125
CREATE TABLE members (user_id int REFERENCES users)
----
pass

locks
CREATE TABLE members (user_id int REFERENCES users)
----
members AccessExclusiveLock
members AccessShareLock
members ShareRowExclusiveLock
users AccessShareLock
users ShareRowExclusiveLock
