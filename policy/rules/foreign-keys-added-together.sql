setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE groups (id int PRIMARY KEY); INSERT INTO groups VALUES (1);
CREATE TABLE empty (id int PRIMARY KEY); CREATE TABLE orders (user_id int, group_id int); INSERT INTO orders VALUES (1, 1)
----

check
CREATE TABLE members (user_id int REFERENCES users, group_id int REFERENCES public.groups, again int REFERENCES users)
----
warn
  writers of users and public.groups all wait until the last of them is locked; add each foreign key of "members" in a statement of its own
  detail: Every key takes ShareRowExclusiveLock on the table that it references.

check
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID, ADD CONSTRAINT g FOREIGN KEY (group_id) REFERENCES groups NOT VALID
----
warn
  writers of users and groups all wait until the last of them is locked; add each foreign key of "orders" in a statement of its own
  detail: Every key takes ShareRowExclusiveLock on the table that it references.

# Nearly every file of migrations makes such tables.
check unknown
CREATE TABLE members (user_id int REFERENCES users, group_id int REFERENCES groups)
----
pass

check unknown
ALTER TABLE members ADD FOREIGN KEY (user_id) REFERENCES users, ADD FOREIGN KEY (group_id) REFERENCES groups
----
warn
  writers of users and groups all wait until the last of them is locked; add each foreign key of "members" in a statement of its own
  detail: Every key takes ShareRowExclusiveLock on the table that it references.
  unknown: the size of groups

check
CREATE TABLE members (user_id int REFERENCES users, other_id int REFERENCES empty, parent int REFERENCES members)
----
pass

check
CREATE TABLE members (user_id int REFERENCES users, group_id int)
----
pass

check small
CREATE TABLE members (user_id int REFERENCES users, group_id int REFERENCES groups)
----
pass

check
CREATE TABLE IF NOT EXISTS orders (user_id int REFERENCES users, group_id int REFERENCES groups)
----
pass

begin
CREATE TABLE fresh (id int PRIMARY KEY)
----

check
CREATE TABLE members (user_id int REFERENCES users, fresh_id int REFERENCES fresh)
----
pass

rollback
----

locks
CREATE TABLE members (user_id int REFERENCES users, group_id int REFERENCES groups)
----
groups AccessShareLock
groups ShareRowExclusiveLock
members AccessExclusiveLock
members AccessShareLock
members ShareRowExclusiveLock
users AccessShareLock
users ShareRowExclusiveLock

locks
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users NOT VALID
----
orders AccessShareLock
orders ShareRowExclusiveLock
users AccessShareLock
users ShareRowExclusiveLock
