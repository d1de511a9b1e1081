setup
CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE orders (id int); CREATE INDEX users_id ON users (id);
CREATE TABLE schema_migrations (version bigint not null primary key, dirty boolean not null)
----

begin
ALTER TABLE users ADD COLUMN a int
----

# Who waits for the second keeps others waiting for the first.
check
ALTER TABLE orders ADD COLUMN a int
----
warn
  this adds AccessExclusiveLock on "orders" to the locks that the transaction holds on public.users (AccessExclusiveLock); put it into a transaction of its own
  detail: All are held until the transaction ends, and a lock that cannot be had at once fails the transaction.

# It has that lock already.
check
ALTER TABLE users ADD COLUMN b int
----
pass

check
DROP INDEX users_id
----
pass

check
TRUNCATE schema_migrations
----
pass

check
CREATE TABLE fresh (a int)
----
pass

check
INSERT INTO orders VALUES (1)
----
pass

rollback
----

# Its own tables, temporary ones and version tables do not count.
begin
CREATE TABLE fresh (a int); ALTER TABLE fresh ADD COLUMN b int; LOCK TABLE schema_migrations
----

check
ALTER TABLE orders ADD COLUMN a int
----
pass

rollback
----

check
ALTER TABLE orders ADD COLUMN a int
----
pass

begin
ALTER TABLE users ADD COLUMN a int; LOCK TABLE orders IN SHARE MODE; CREATE TABLE other (a int)
----

check
ALTER TABLE other ADD COLUMN b int
----
pass

check unknown
ALTER TABLE orders ADD COLUMN a int
----
pass

rollback
----

# Who waits for a dropped table waits all the same.
begin
DROP TABLE users
----

check
ALTER TABLE orders ADD COLUMN a int
----
warn
  this adds AccessExclusiveLock on "orders" to the locks that the transaction holds on what it dropped; put it into a transaction of its own
  detail: All are held until the transaction ends, and a lock that cannot be had at once fails the transaction.

rollback
----

# Ten are enough.
setup
INSERT INTO orders VALUES (1); CREATE TABLE small (a int);
CREATE TABLE t1 (a int); CREATE TABLE t2 (a int); CREATE TABLE t3 (a int); CREATE TABLE t4 (a int); CREATE TABLE t5 (a int);
CREATE TABLE t6 (a int); CREATE TABLE t7 (a int); CREATE TABLE t8 (a int); CREATE TABLE t9 (a int); CREATE TABLE t10 (a int)
----

begin
LOCK TABLE t1, t2, t3, t4, t5, t6, t7, t8, t9
----

check
ALTER TABLE orders ADD COLUMN a int
----
warn
  this adds AccessExclusiveLock on "orders" to the locks that the transaction holds on public.t1 (AccessExclusiveLock), public.t2 (AccessExclusiveLock), public.t3 (AccessExclusiveLock) and 6 more; put it into a transaction of its own
  detail: All are held until the transaction ends, and a lock that cannot be had at once fails the transaction.

rollback
----

begin
LOCK TABLE t1, t2, t3, t4, t5, t6, t7, t8, t9, t10
----

check
ALTER TABLE orders ADD COLUMN a int
----
block
  this adds AccessExclusiveLock on "orders" to the strong locks that the transaction holds on 10 tables; put it into a transaction of its own
  detail: It holds them on public.t1 (AccessExclusiveLock), public.t2 (AccessExclusiveLock), public.t3 (AccessExclusiveLock), public.t4 (AccessExclusiveLock), public.t5 (AccessExclusiveLock), public.t6 (AccessExclusiveLock) and 4 more, until it ends.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow locks-add-up reason="..." */ ALTER TABLE orders ADD COLUMN a int;

check
ALTER TABLE small ADD COLUMN b int
----
warn
  this adds AccessExclusiveLock on "small" to the locks that the transaction holds on public.t1 (AccessExclusiveLock), public.t2 (AccessExclusiveLock), public.t3 (AccessExclusiveLock) and 7 more; put it into a transaction of its own
  detail: All are held until the transaction ends, and a lock that cannot be had at once fails the transaction.

check
ALTER TABLE t1 ADD COLUMN b int
----
pass

rollback
----

locks
ALTER TABLE users ADD COLUMN a int; ALTER TABLE orders ADD COLUMN a int
----
orders AccessExclusiveLock
users AccessExclusiveLock
