setup
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1), (2);
CREATE TABLE events (at int NOT NULL, user_id int, kind text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10); CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (at);
CREATE TABLE events_2a PARTITION OF events_2 FOR VALUES FROM (10) TO (15); CREATE TABLE events_2b PARTITION OF events_2 DEFAULT;
INSERT INTO events VALUES (1, 1, 'a'), (11, 2, 'b'), (16, 1, 'c')
----

plan before=18
ALTER TABLE events ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE
----

plan before=18
ALTER TABLE events ADD COLUMN other int DEFAULT 1 REFERENCES users, ADD CHECK (at > 0)
----

plan
ALTER TABLE events ADD UNIQUE (at, user_id)
----

plan before=18
ALTER TABLE events ADD CONSTRAINT events_key PRIMARY KEY (at, kind) DEFERRABLE
----

plan major=18
ALTER TABLE events ADD CONSTRAINT events_key PRIMARY KEY (at, kind) DEFERRABLE
----

unplanned
ALTER TABLE events ADD UNIQUE (kind)
----

# The server builds nothing here.
setup
CREATE TABLE none (a int) PARTITION BY RANGE (a)
----

plan
ALTER TABLE none ADD UNIQUE (a)
----

plan
ALTER TABLE ONLY events ADD UNIQUE (at, kind, user_id)
----

refused
ALTER TABLE events ADD COLUMN x int, ADD CONSTRAINT early FOREIGN KEY (at) REFERENCES users
----
