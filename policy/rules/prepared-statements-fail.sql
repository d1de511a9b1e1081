setup
CREATE TABLE users (id int, email varchar(20)); INSERT INTO users VALUES (1); CREATE TABLE empty (id int)
----

check
ALTER TABLE users ADD COLUMN nick text
----
warn
  prepared SELECT * of "users" fails once it has "nick"; let the application name its columns, or prepare again after the error

check
ALTER TABLE users DROP COLUMN email
----
warn
  prepared SELECT * of "users" fails once it has lost "email"; let the application name its columns, or prepare again after the error

check
ALTER TABLE users ALTER COLUMN email TYPE varchar(40)
----
warn
  prepared SELECT * of "users" fails once "email" has another type; let the application name its columns, or prepare again after the error

check unknown
ALTER TABLE users ADD COLUMN nick text
----
warn
  prepared SELECT * of "users" fails once it has "nick"; let the application name its columns, or prepare again after the error
  unknown: whether table "users" has rows

check
ALTER TABLE users ADD COLUMN IF NOT EXISTS email text
----
pass

check
ALTER TABLE users ALTER COLUMN email SET NOT NULL
----
pass

check
ALTER TABLE empty ADD COLUMN nick text
----
pass

locks
ALTER TABLE users ALTER COLUMN email TYPE varchar(40)
----
users AccessExclusiveLock
