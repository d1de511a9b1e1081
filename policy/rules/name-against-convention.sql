# Here tables must match ^[a-z_]+s$, columns ^[a-z][a-z0-9_]*$ and indexes _idx$.
setup
CREATE TABLE orders (id int)
----

check agreed
CREATE TABLE "Order" (id int, "userId" int)
----
block
  table "Order" is not named as agreed; use a name that matches ^[a-z_]+s$
  column "userId" is not named as agreed; use a name that matches ^[a-z][a-z0-9_]*$

check agreed
CREATE INDEX orders_by_id ON orders (id)
----
block
  index "orders_by_id" is not named as agreed; use a name that matches _idx$

check agreed
ALTER TABLE orders ADD COLUMN "createdAt" timestamptz, ADD COLUMN ok int CONSTRAINT "any" CHECK (true)
----
block
  column "createdAt" is not named as agreed; use a name that matches ^[a-z][a-z0-9_]*$

check agreed
ALTER TABLE orders RENAME TO order_list
----
block
  table "order_list" is not named as agreed; use a name that matches ^[a-z_]+s$

check agreed
ALTER TABLE orders RENAME COLUMN id TO "ID"
----
block
  column "ID" is not named as agreed; use a name that matches ^[a-z][a-z0-9_]*$

check agreed
CREATE TABLE copied AS SELECT 1 AS a
----
block
  table "copied" is not named as agreed; use a name that matches ^[a-z_]+s$

# Quoted or not, it is the name itself that counts.
check agreed
CREATE TABLE "users" (id int, User_Id int CONSTRAINT "Any Name" CHECK (true))
----
pass

check agreed
CREATE INDEX ON orders (id)
----
pass

check agreed
CREATE TEMP TABLE "Scratch" (id int)
----
pass

check agreed
CREATE VIEW "Anything" AS SELECT 1 AS a
----
pass

# Nothing is agreed on.
check
CREATE TABLE "Order" (id int)
----
pass

locks
CREATE TABLE "Order" (id int)
----
Order AccessExclusiveLock
