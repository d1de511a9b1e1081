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

# It has that lock already.
check
ALTER TABLE users ADD COLUMN b int
----

check
DROP INDEX users_id
----

check
TRUNCATE schema_migrations
----

check
CREATE TABLE fresh (a int)
----

check
INSERT INTO orders VALUES (1)
----


rollback
----

# Its own tables, temporary ones and version tables do not count.
begin
CREATE TABLE fresh (a int); ALTER TABLE fresh ADD COLUMN b int; LOCK TABLE schema_migrations
----

check
ALTER TABLE orders ADD COLUMN a int
----

rollback
----

check
ALTER TABLE orders ADD COLUMN a int
----

begin
ALTER TABLE users ADD COLUMN a int; LOCK TABLE orders IN SHARE MODE; CREATE TABLE other (a int)
----

check
ALTER TABLE other ADD COLUMN b int
----

check unknown
ALTER TABLE orders ADD COLUMN a int
----

rollback
----

locks
ALTER TABLE users ADD COLUMN a int; ALTER TABLE orders ADD COLUMN a int
----
