# It may end up in the server's log.
check
CREATE ROLE app LOGIN PASSWORD 'secret'
----

check
CREATE ROLE app LOGIN NOSUPERUSER
----

locks
CREATE ROLE app LOGIN
----

# A verifier is no password.
check
ALTER ROLE app PASSWORD 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy'
----

check
ALTER ROLE app PASSWORD NULL
----

check
ALTER USER app WITH PASSWORD 'secret' SUPERUSER BYPASSRLS
----

check
CREATE ROLE copier REPLICATION CREATEROLE
----

check
ALTER ROLE app SET work_mem = '1GB'
----
