check
ALTER SYSTEM SET work_mem = '1GB'
----

check
SET LOCAL work_mem = '1GB'
----

locks
ALTER ROLE CURRENT_USER SET work_mem = '1GB'
----

check
ALTER SYSTEM RESET ALL
----

check
ALTER DATABASE shop SET statement_timeout = '1s'
----

check
ALTER ROLE app SET search_path = app
----

check
ALTER ROLE ALL SET search_path = app
----

check
ALTER ROLE app LOGIN
----

check
ALTER DATABASE shop CONNECTION LIMIT 5
----

check role
/* pgsluice:allow setting-changed reason="the server is ours" */ ALTER SYSTEM SET work_mem = '1GB'
----
