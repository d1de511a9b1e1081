# Here every table must have id and created_at.
setup
CREATE TABLE orders (id int, created_at timestamptz)
----

check agreed
CREATE TABLE users (email text)
----
block
  table "users" lacks what every table has by convention; add id and created_at

check agreed
CREATE TABLE users (id bigint, email text)
----
block
  table "users" lacks what every table has by convention; add created_at

check agreed
CREATE TABLE users (id bigint, "created_at" timestamptz)
----
pass

check agreed
CREATE TABLE users (LIKE orders)
----
pass

check agreed
CREATE TEMPORARY TABLE scratch (a int)
----
pass

# Nothing is agreed on.
check
CREATE TABLE users (email text)
----
pass

locks
CREATE TABLE users (email text)
----
users AccessExclusiveLock
