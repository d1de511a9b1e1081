setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1); CREATE TABLE orders (user_id int REFERENCES users); INSERT INTO orders VALUES (1);
CREATE TRIGGER audited BEFORE INSERT ON orders EXECUTE FUNCTION suppress_redundant_updates_trigger(); CREATE TABLE empty (a int); ANALYZE orders
----

# The foreign keys, too.
check
ALTER TABLE orders DISABLE TRIGGER ALL
----
block
  DISABLE TRIGGER ALL switches off the foreign keys of "orders" for everybody; disable the triggers by name
  detail: Table public.orders has about 1 rows, 8192 bytes.
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow trigger-disabled reason="..." */ ALTER TABLE orders DISABLE TRIGGER ALL;

check
ALTER TABLE orders ENABLE TRIGGER ALL
----
pass

locks
ALTER TABLE orders DISABLE TRIGGER ALL
----
orders ShareRowExclusiveLock

# The foreign keys go on.
check
ALTER TABLE orders DISABLE TRIGGER USER
----
warn
  DISABLE TRIGGER USER switches off the triggers of "orders" for everybody; enable them in the same transaction
  detail: Table public.orders has about 1 rows, 8192 bytes.

check
ALTER TABLE orders DISABLE TRIGGER audited
----
warn
  trigger "audited" of "orders" is off for everybody from the COMMIT on; enable it in the same transaction
  detail: Table public.orders has about 1 rows, 8192 bytes.

check
ALTER TABLE orders ENABLE TRIGGER audited
----
pass

check
ALTER TABLE empty DISABLE TRIGGER ALL
----
pass

begin
CREATE TABLE fresh AS SELECT 1 AS a; CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a
----

check
ALTER TABLE fresh DISABLE TRIGGER ALL
----
pass

check
ALTER TABLE scratch DISABLE TRIGGER ALL
----
pass

rollback
----

check unknown
ALTER TABLE orders DISABLE TRIGGER ALL
----
block
  DISABLE TRIGGER ALL switches off the foreign keys of "orders" for everybody; disable the triggers by name
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow trigger-disabled reason="..." */ ALTER TABLE orders DISABLE TRIGGER ALL;
  unknown: whether "orders" is in use: its size

# For one session, and all tables.
check
SET session_replication_role = replica
----
warn
  session_replication_role = replica switches foreign keys and triggers of all tables off for what this session writes until it is set back; set it to origin behind the rows that need it, and check those yourself

check
SET SESSION "session_replication_role" TO 'Replica'
----
warn
  session_replication_role = replica switches foreign keys and triggers of all tables off for what this session writes until it is set back; set it to origin behind the rows that need it, and check those yourself

check
SET LOCAL session_replication_role = 'replica'
----
warn
  session_replication_role = replica switches foreign keys and triggers of all tables off for what this session writes until the transaction ends; check its rows yourself

check
SELECT set_config('session_replication_role', 'replica', true), set_config('lock_timeout', '1s', false)
----
warn
  session_replication_role = replica switches foreign keys and triggers of all tables off for what this session writes until the transaction ends; check its rows yourself

check
SET session_replication_role = origin
----
pass

check
SET session_replication_role = DEFAULT
----
pass

check
SET session_replication_role = local
----
pass

check
RESET session_replication_role
----
pass

check
ALTER ROLE CURRENT_USER SET session_replication_role = replica
----
block
  session_replication_role = replica switches foreign keys and triggers of all tables off for all new sessions of role "CURRENT_USER"; use SET LOCAL in the one transaction that needs it
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow trigger-disabled reason="..." */ ALTER ROLE CURRENT_USER SET session_replication_role = …;

check
ALTER DATABASE shop SET session_replication_role TO 'replica'
----
block
  session_replication_role = replica switches foreign keys and triggers of all tables off for all new sessions of database "shop"; use SET LOCAL in the one transaction that needs it
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow trigger-disabled reason="..." */ ALTER DATABASE shop SET session_replication_role TO …;

check
ALTER ROLE loader IN DATABASE shop SET session_replication_role = origin
----
pass

check
ALTER ROLE loader RESET session_replication_role
----
pass

check
ALTER SYSTEM SET session_replication_role = replica
----
block
  session_replication_role = replica switches foreign keys and triggers of all tables off for all new sessions of the whole server; use SET LOCAL in the one transaction that needs it
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow trigger-disabled reason="..." */ ALTER SYSTEM SET session_replication_role = …;

check
CREATE FUNCTION load() RETURNS void LANGUAGE sql SET session_replication_role = replica AS 'DELETE FROM orders WHERE user_id = 1'
----
warn
  session_replication_role = replica switches foreign keys and triggers of all tables off for what "load" writes; check its rows yourself

check
DO $$ BEGIN
  SET LOCAL session_replication_role = replica;
  PERFORM set_config('session_replication_role', 'replica', true);
END $$
----
warn
  line 2 of the DO block: session_replication_role = replica switches foreign keys and triggers of all tables off for what this session writes until the transaction ends; check its rows yourself

locks
SET LOCAL session_replication_role = replica; UPDATE orders SET user_id = 2; DELETE FROM users
----
orders RowExclusiveLock
users RowExclusiveLock
users_pkey RowExclusiveLock

# Other ways to the same.
check
ALTER TABLE orders ENABLE REPLICA TRIGGER audited
----
warn
  ENABLE REPLICA leaves trigger "audited" of "orders" off but for replication, for everybody from the COMMIT on; ENABLE ALWAYS is for both
  detail: Table public.orders has about 1 rows, 8192 bytes.

check
ALTER TABLE orders ENABLE ALWAYS TRIGGER audited
----
pass

check
ALTER TABLE orders DISABLE RULE noted
----
warn
  rule "noted" of "orders" is off for everybody from the COMMIT on; enable it in the same transaction
  detail: Table public.orders has about 1 rows, 8192 bytes.

check
ALTER EVENT TRIGGER guarded DISABLE
----
warn
  event trigger "guarded" is off for everybody from the COMMIT on; enable it in the same transaction

check
ALTER EVENT TRIGGER guarded ENABLE
----
pass

check
ALTER EVENT TRIGGER guarded OWNER TO postgres
----
pass
