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

locks
ALTER TABLE users ADD COLUMN a int; ALTER TABLE orders ADD COLUMN a int
----
orders AccessExclusiveLock
users AccessExclusiveLock
