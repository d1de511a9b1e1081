setup
CREATE TABLE t (a int PRIMARY KEY, b int, c text); CREATE INDEX t_b_c ON t (b, c); CREATE INDEX t_c ON t (c); CREATE INDEX t_partial ON t (b) WHERE a > 0
----

check action=warn
CREATE INDEX ON t (b)
----
warn
  index "t_b_c" of "t" finds all that this one would; use that
  detail: Index t_b_c has the columns b, c.

check action=warn
CREATE INDEX ON t (a)
----
warn
  index "t_pkey" of "t" finds all that this one would; use that
  detail: Index t_pkey has the columns a.

check action=warn
CREATE INDEX ON t (c, a)
----
warn
  this index finds all that index "t_c" of "t" finds; drop that one when this one is there
  detail: Index t_c has the columns c.
  hint: DROP INDEX CONCURRENTLY public.t_c;

check action=warn
CREATE INDEX ON t (b, c, b)
----
warn
  column "b" is in this index twice; leave one out

check action=block
CREATE INDEX ON t (b, c)
----
warn
  index "t_b_c" of "t" finds all that this one would; use that
  detail: Index t_b_c has the columns b, c.

# Each of these finds what no other does.
check action=warn
CREATE UNIQUE INDEX ON t (b)
----
pass

check action=warn
CREATE INDEX ON t (b DESC, c)
----
pass

check action=warn
CREATE INDEX ON t (b) WHERE c > 'x'
----
pass

check action=warn
CREATE INDEX ON t (c text_pattern_ops, a)
----
pass

check action=warn
CREATE INDEX ON t (a, b)
----
pass

check action=warn
CREATE INDEX ON t USING hash (b)
----
pass

check action=warn unknown
CREATE INDEX ON t (b)
----
pass

locks
CREATE INDEX ON t (b)
----
t ShareLock
t_b_idx AccessExclusiveLock
