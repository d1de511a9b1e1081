setup
CREATE TABLE t (a int, b int, c int, d int)
----

check action=warn
CREATE INDEX ON t (a, b, c, d)
----
warn
  this index on "t" has 4 columns; leave out those that no query searches by, or put them behind INCLUDE

check action=warn
CREATE INDEX ON t (a, b, c) INCLUDE (d)
----
pass

# What is unique is so with all of its columns.
check action=warn
CREATE UNIQUE INDEX ON t (a, b, c, d)
----
pass

check action=warn
CREATE INDEX ON t USING brin (a, b, c, d)
----
pass

check action=block unknown
CREATE INDEX ON t (a, b, c, lower('x'))
----
warn
  this index on "t" has 4 columns; leave out those that no query searches by, or put them behind INCLUDE

locks
CREATE INDEX ON t (a, b, c, d)
----
t ShareLock
t_a_b_c_d_idx AccessExclusiveLock
