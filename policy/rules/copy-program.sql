setup
CREATE TABLE t (a int)
----

check
COPY t FROM PROGRAM 'cat /etc/passwd'
----
block
  COPY of "t" ... PROGRAM runs a shell command on the database server, which no ROLLBACK undoes; run the program on your side: \copy in psql
  detail: The command runs as the operating system's user that owns the files of the database.

check
COPY t TO PROGRAM 'gzip > /tmp/t.gz'
----
block
  COPY of "t" ... PROGRAM runs a shell command on the database server, which no ROLLBACK undoes; run the program on your side: \copy in psql
  detail: The command runs as the operating system's user that owns the files of the database.

check
COPY (SELECT 1) TO PROGRAM 'true'
----
block
  COPY ... PROGRAM runs a shell command on the database server, which no ROLLBACK undoes; run the program on your side: \copy in psql
  detail: The command runs as the operating system's user that owns the files of the database.

check
DO $$ BEGIN COPY t FROM PROGRAM 'true'; END $$
----
block
  line 1 of the DO block: COPY of "t" ... PROGRAM runs a shell command on the database server, which no ROLLBACK undoes; run the program on your side: \copy in psql
  detail: The command runs as the operating system's user that owns the files of the database.

check
COPY t FROM STDIN
----
pass

check
COPY t TO STDOUT
----
pass

locks
COPY t FROM PROGRAM 'echo 1'
----
t RowExclusiveLock
