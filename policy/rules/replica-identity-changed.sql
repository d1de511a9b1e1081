setup
CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE logs (a int NOT NULL); CREATE UNIQUE INDEX logs_a ON logs (a); CREATE TABLE private (id int PRIMARY KEY);
CREATE PUBLICATION p FOR TABLE users, logs
----

check
ALTER TABLE users REPLICA IDENTITY NOTHING
----
warn
  every UPDATE and DELETE of "users" fails without a replica identity while the table is published; use REPLICA IDENTITY DEFAULT

check
ALTER TABLE users REPLICA IDENTITY FULL
----
warn
  every UPDATE and DELETE of "users" writes its whole old row to the WAL, though it has a primary key; use REPLICA IDENTITY DEFAULT

check
ALTER TABLE logs REPLICA IDENTITY DEFAULT
----
warn
  every UPDATE and DELETE of "logs" fails without a replica identity while the table is published; use REPLICA IDENTITY USING INDEX

check unknown
ALTER TABLE users REPLICA IDENTITY NOTHING
----
warn
  every UPDATE and DELETE of "users" fails without a replica identity while the table is published; use REPLICA IDENTITY USING INDEX
  unknown: whether table "users" is published

check
ALTER TABLE users REPLICA IDENTITY DEFAULT
----
pass

check
ALTER TABLE logs REPLICA IDENTITY USING INDEX logs_a
----
pass

# There is no other way.
check
ALTER TABLE logs REPLICA IDENTITY FULL
----
pass

check
ALTER TABLE private REPLICA IDENTITY NOTHING
----
pass

locks
ALTER TABLE users REPLICA IDENTITY NOTHING
----
users AccessExclusiveLock

locks
ALTER TABLE logs REPLICA IDENTITY USING INDEX logs_a
----
logs AccessExclusiveLock
logs_a ShareLock
