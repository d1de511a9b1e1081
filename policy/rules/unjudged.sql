# Syntax of a newer server, for example.
check unparsed=syntax_error_at_or_near_"ENFORCED"
ALTER TABLE users ADD CHECK (id > 0) NOT ENFORCED
----
block
  cannot judge this ALTER (syntax error at or near "ENFORCED"): write it so that it can be read, or allow it with a reason
  hint: Send statements one at a time. To run it as it is: /* pgsluice:allow unjudged reason="..." */ before it.

# A text that changes no schema passes, whatever it is.
check unparsed=syntax_error_at_or_near_"STORE"
SELECT * FROM users STORE
----
pass

# Nor does a word count that only contains one.
check unparsed=too_complex
SELECT created_at, dropped, "alternate" FROM users
----
pass

# Wherever the word stands: in a text that was not read, a string cannot be told from SQL.
check unparsed=too_complex
SELECT 1; drop table users
----
block
  cannot judge this DROP (too complex): write it so that it can be read, or allow it with a reason
  hint: Send statements one at a time. To run it as it is: /* pgsluice:allow unjudged reason="..." */ before it.

check unparsed=too_complex
/* pgsluice:allow unjudged reason="read it myself" */ ALTER TABLE users ADD CHECK (id > 0) NOT ENFORCED
----
block
  cannot judge this ALTER (too complex): write it so that it can be read, or allow it with a reason (the override in the comment does not count: login "postgres" is not in overrides.roles)
  hint: Send statements one at a time. To run it as it is: /* pgsluice:allow unjudged reason="..." */ before it.

check unparsed=too_complex role
/* pgsluice:allow unjudged reason="read it myself" */ ALTER TABLE users ADD CHECK (id > 0) NOT ENFORCED
----
pass
  overridden: cannot judge this ALTER (too complex): write it so that it can be read, or allow it with a reason

check
DO $$ BEGIN ALTER TABLE users ADD COLUMN a int; END $$
----
warn
  the body of a DO block is not judged: schema changes in it take their locks without a budget
  hint: Send schema changes as statements of their own, not inside DO.

check
CALL cleanup(1)
----
warn
  the procedure that CALL runs is not judged: schema changes in it take their locks without a budget
  hint: Send schema changes as statements of their own.

check
SELECT 1
----
pass
