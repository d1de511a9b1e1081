setup
CREATE TABLE orders (id int)
----

check file
CREATE TABLE users (id bigint PRIMARY KEY)
----
block
  nothing says what table "users" is for; add COMMENT ON TABLE users IS '...'

check file
CREATE TABLE app."Users" (id bigint PRIMARY KEY); COMMENT ON TABLE "Users" IS 'another one'; COMMENT ON COLUMN app."Users".id IS 'x'
----
block
  nothing says what table "Users" is for; add COMMENT ON TABLE app."Users" IS '...'

check file
CREATE TABLE app.users (id bigint PRIMARY KEY); CREATE INDEX ON app.users (id); COMMENT ON TABLE app.users IS 'who may log in; owned by accounts'
----
pass

check file
CREATE TEMP TABLE scratch (id int)
----
pass

# On a connection nobody knows what comes.
check
CREATE TABLE users (id bigint PRIMARY KEY)
----
pass

locks
COMMENT ON TABLE orders IS 'what was bought'
----
orders ShareUpdateExclusiveLock
