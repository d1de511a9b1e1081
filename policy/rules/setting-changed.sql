check
ALTER SYSTEM SET work_mem = '1GB'
----
block
  ALTER SYSTEM changes work_mem for the whole server and cannot be rolled back; leave it to those who run the server
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow setting-changed reason="..." */ ALTER SYSTEM SET work_mem = …;

check
SET LOCAL work_mem = '1GB'
----
pass

locks
ALTER ROLE CURRENT_USER SET work_mem = '1GB'
----
(none)

check
ALTER SYSTEM RESET ALL
----
block
  ALTER SYSTEM changes all settings for the whole server and cannot be rolled back; leave it to those who run the server
  hint: If it is meant, as a login named in overrides.roles:
    /* pgsluice:allow setting-changed reason="..." */ ALTER SYSTEM RESET ALL;

check
ALTER DATABASE shop SET statement_timeout = '1s'
----
warn
  this changes statement_timeout for all new sessions of database "shop", while open ones keep the old value; for this migration use SET LOCAL

check
ALTER ROLE app SET search_path = app
----
warn
  this changes search_path for all new sessions of role "app", while open ones keep the old value; for this migration use SET LOCAL

check
ALTER ROLE ALL SET search_path = app
----
warn
  this changes search_path for all new sessions of every role, while open ones keep the old value; for this migration use SET LOCAL

check
ALTER ROLE app LOGIN
----
pass

check
ALTER DATABASE shop CONNECTION LIMIT 5
----
pass

check role
/* pgsluice:allow setting-changed reason="the server is ours" */ ALTER SYSTEM SET work_mem = '1GB'
----
pass
  overridden: ALTER SYSTEM changes work_mem for the whole server and cannot be rolled back; leave it to those who run the server

check
ALTER ROLE CURRENT_USER SET work_mem = '1GB'
----
warn
  this changes work_mem for all new sessions of role "CURRENT_USER", while open ones keep the old value; for this migration use SET LOCAL

check
ALTER ROLE ALL SET work_mem = '1GB'
----
warn
  this changes work_mem for all new sessions of every role, while open ones keep the old value; for this migration use SET LOCAL
