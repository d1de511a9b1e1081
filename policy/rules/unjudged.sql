# Syntax of a newer server, for example.
check unparsed=syntax_error_at_or_near_"ENFORCED"
ALTER TABLE users ADD CHECK (id > 0) NOT ENFORCED
----
block
  cannot judge this ALTER (syntax error at or near "ENFORCED"); write it so that it can be read, or allow it with a reason
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
  cannot judge this DROP (too complex); write it so that it can be read, or allow it with a reason
  hint: Send statements one at a time. To run it as it is: /* pgsluice:allow unjudged reason="..." */ before it.

check unparsed=too_complex
/* pgsluice:allow unjudged reason="read it myself" */ ALTER TABLE users ADD CHECK (id > 0) NOT ENFORCED
----
block
  cannot judge this ALTER (too complex); write it so that it can be read, or allow it with a reason (the override in the comment does not count: login "postgres" is not in overrides.roles)
  hint: Send statements one at a time. To run it as it is: /* pgsluice:allow unjudged reason="..." */ before it.

check unparsed=too_complex role
/* pgsluice:allow unjudged reason="read it myself" */ ALTER TABLE users ADD CHECK (id > 0) NOT ENFORCED
----
pass
  overridden: cannot judge this ALTER (too complex); write it so that it can be read, or allow it with a reason

check
DO $$ BEGIN ALTER TABLE users ADD COLUMN a int; END $$
----
pass

check
CALL cleanup(1)
----
warn
  what procedure cleanup does is not judged, and schema changes in it take their locks without a budget; send them as statements of their own

check
SELECT 1
----
pass

# What a DO block runs is judged, line by line; what it puts together when it runs cannot be.
setup
CREATE TABLE users (id int PRIMARY KEY, email text, nick text); INSERT INTO users VALUES (1)
----

check
DO $$
BEGIN
  EXECUTE 'ALTER TABLE users ADD COLUMN a int';
END $$
----
pass

check
DO $$
DECLARE
  names text[] := ARRAY['users', 'orders'];
  name text;
BEGIN
  FOREACH name IN ARRAY names LOOP
    EXECUTE format('ALTER TABLE %I ADD COLUMN a int', name);
  END LOOP;
END $$
----
pass

check
DO $$
DECLARE r record;
BEGIN
  FOR r IN SELECT relname FROM pg_class LOOP
    EXECUTE format('ALTER TABLE %I ADD COLUMN a int', r.relname);
  END LOOP;
END $$
----
block
  line 5 of the DO block: cannot judge what this EXECUTE runs (its text is put together when it runs), and there is ALTER in it; write the statement out, or put it together from constants
  hint: To run it as it is: /* pgsluice:allow unjudged reason="..." */ before the statement.

check
DO $$
DECLARE r record;
BEGIN
  FOR r IN SELECT 'DROP TABLE ' || relname AS command FROM pg_class LOOP
    EXECUTE r.command;
  END LOOP;
END $$
----
block
  line 5 of the DO block: cannot judge what this EXECUTE runs (its text is put together when it runs), and there is DROP in it; write the statement out, or put it together from constants
  hint: To run it as it is: /* pgsluice:allow unjudged reason="..." */ before the statement.

check
DO $$
DECLARE r record;
BEGIN
  FOR r IN SELECT relname FROM pg_class LOOP
    EXECUTE format('GRANT SELECT ON %I TO postgres', r.relname);
  END LOOP;
END $$
----
pass

check
DO $$ BEGIN /* pgsluice:allow unjudged reason="reviewed" */ EXECUTE (SELECT command FROM users); END $$
----
pass
  overridden: line 1 of the DO block: cannot judge what this EXECUTE runs (its text is put together when it runs); write the statement out, or put it together from constants

check
DO LANGUAGE plperl 'spi_exec_query("ALTER TABLE users DROP COLUMN email")'
----
block
  line 1 of the DO block: cannot judge this body (it is written in plperl), and there is ALTER in it; write it in PL/pgSQL, or send its schema changes as statements of their own
  hint: To run it as it is: /* pgsluice:allow unjudged reason="..." */ before the statement.

# In a nested block, too.
check
DO $$ BEGIN
  DO $x$ BEGIN EXECUTE 'DROP ' || current_user; END $x$;
END $$
----
block
  line 1 of the DO block on line 2 of the DO block: cannot judge what this EXECUTE runs (its text is put together when it runs), and there is DROP in it; write the statement out, or put it together from constants
  hint: To run it as it is: /* pgsluice:allow unjudged reason="..." */ before the statement.

check
DO $$ BEGIN
  CALL cleanup(1);
END $$
----
warn
  line 2 of the DO block: what procedure cleanup does is not judged, and schema changes in it take their locks without a budget; send them as statements of their own

# What a function would do is a warning where it is made, and nothing where no schema changes.
check
CREATE FUNCTION f(name text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
  EXECUTE format('DROP TABLE %I', name);
END $$
----
warn
  line 2 of function "f", when it runs: cannot judge what this EXECUTE runs (its text is put together when it runs), and there is DROP in it; write the statement out, or put it together from constants
  hint: To run it as it is: /* pgsluice:allow unjudged reason="..." */ before the statement.

check
CREATE FUNCTION f(name text) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN
  EXECUTE format('SELECT count(*) FROM %I', name) INTO n;
  RETURN n;
END $$
----
pass

check
CREATE FUNCTION f(name text) RETURNS void LANGUAGE plpython3u AS 'plpy.execute("DROP TABLE " + name)'
----
warn
  line 1 of function "f", when it runs: cannot judge this body (it is written in plpython3u), and there is DROP in it; write it in PL/pgSQL, or send its schema changes as statements of their own
  hint: To run it as it is: /* pgsluice:allow unjudged reason="..." */ before the statement.

check
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NEW.updated_at := now();
  INSERT INTO users SELECT NEW.id;
  RETURN NEW;
END $$
----
pass
