# It may end up in the server's log.
check
CREATE ROLE app LOGIN PASSWORD 'secret'
----
warn
  the password of role "app" stands in the text and may end up in the server's log; use \password of psql, or a SCRAM verifier

check
CREATE ROLE app LOGIN NOSUPERUSER
----
pass

locks
CREATE ROLE app LOGIN
----
(none)

# A verifier is no password.
check
ALTER ROLE app PASSWORD 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy'
----
pass

check
ALTER ROLE app PASSWORD NULL
----
pass

check
ALTER USER app WITH PASSWORD 'secret' SUPERUSER BYPASSRLS
----
warn
  the password of role "app" stands in the text and may end up in the server's log; use \password of psql, or a SCRAM verifier
  SUPERUSER lets role "app" reach past the privileges of the database; grant what it needs
  BYPASSRLS lets role "app" reach past the privileges of the database; grant what it needs

check
CREATE ROLE copier REPLICATION CREATEROLE
----
warn
  CREATEROLE lets role "copier" reach past the privileges of the database; grant what it needs
  REPLICATION lets role "copier" reach past the privileges of the database; grant what it needs

check
ALTER ROLE app SET work_mem = '1GB'
----
pass
