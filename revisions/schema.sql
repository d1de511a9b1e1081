-- The ledger of pgsluice. A line that begins with four dashes ends a statement; a word behind the dashes begins a
-- section: "version N" runs once, when a ledger becomes version N; the others at each install, "control role" only if
-- there is one ({control} is its quoted name). Between "functions" and "grants" install revokes everything from everyone.
-- All of it runs as pgsluice_owner. A version that was released is never edited: add the next one.
--
-- Every table begins with the identity of the database that the row was written in, so that the rows of a clone, a
-- restored dump or a publisher never pass for our own. Everyone may lock the tables (pg_dump -s must) and, under row
-- security without a policy, see nothing in them.

---- version 1

CREATE TABLE pgsluice.installation (
	system_identifier bigint NOT NULL,
	database_oid pg_catalog.oid NOT NULL,
	version integer NOT NULL,
	-- The login of the proxies; 0 when only superusers may work with the ledger.
	control_role pg_catalog.oid NOT NULL,
	installed timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	upgraded timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (system_identifier, database_oid)
)

----
-- The secret is kept as the two blocks that HMAC makes of it, because the server has no XOR of bytea.
CREATE TABLE pgsluice.keys (
	system_identifier bigint NOT NULL,
	database_oid pg_catalog.oid NOT NULL,
	id integer NOT NULL,
	inner_pad pg_catalog.bytea NOT NULL CHECK (pg_catalog.octet_length(inner_pad) OPERATOR(pg_catalog.=) 64),
	outer_pad pg_catalog.bytea NOT NULL CHECK (pg_catalog.octet_length(outer_pad) OPERATOR(pg_catalog.=) 64),
	created timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	-- A retired key signs nothing new; it stays while an open promise carries its signature.
	retired timestamp with time zone,
	PRIMARY KEY (system_identifier, database_oid, id)
)

----
-- ANALYZE would copy the secret into pg_statistic.
ALTER TABLE pgsluice.keys
	ALTER COLUMN inner_pad SET STATISTICS 0,
	ALTER COLUMN outer_pad SET STATISTICS 0

----
CREATE SEQUENCE pgsluice.nonces

----
CREATE TABLE pgsluice.promises (
	system_identifier bigint NOT NULL,
	database_oid pg_catalog.oid NOT NULL,
	-- The nonce that the signature was made for.
	id bigint NOT NULL,
	xid pg_catalog.xid8 NOT NULL,
	seq integer NOT NULL,
	-- session_user, and the role that SET ROLE had made of it.
	login pg_catalog.oid NOT NULL,
	role pg_catalog.oid NOT NULL,
	pid integer NOT NULL,
	-- Microseconds since 1970.
	backend_start bigint NOT NULL,
	kind pg_catalog.text NOT NULL,
	tag pg_catalog.text NOT NULL,
	table_oid pg_catalog.oid NOT NULL,
	-- {"asked": ..., "steps": ..., "environment": ...}, byte for byte what was signed.
	payload pg_catalog.json NOT NULL,
	key_id integer NOT NULL,
	-- Lower-case hex.
	mac pg_catalog.text NOT NULL,
	-- All above is signed and never changes. From here on: how far it got.
	state pg_catalog.text NOT NULL DEFAULT 'pending'
		CHECK (state OPERATOR(pg_catalog.=) ANY (ARRAY['pending', 'running', 'done', 'void', 'failed'])),
	attempts integer NOT NULL DEFAULT 0,
	sqlstate pg_catalog.text NOT NULL DEFAULT '',
	message pg_catalog.text NOT NULL DEFAULT '',
	-- Until it is released or its backend has ended, a promise belongs to the backend that wrote it; then to who claims it.
	released boolean NOT NULL DEFAULT false,
	not_before timestamp with time zone,
	claimed_by pg_catalog.text NOT NULL DEFAULT '',
	claimed_pid integer NOT NULL DEFAULT 0,
	claimed_start bigint NOT NULL DEFAULT 0,
	heartbeat timestamp with time zone,
	created timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	started timestamp with time zone,
	finished timestamp with time zone,
	PRIMARY KEY (system_identifier, database_oid, id),
	UNIQUE (system_identifier, database_oid, xid, seq),
	UNIQUE (system_identifier, database_oid, xid, mac)
)

----
CREATE INDEX promises_open ON pgsluice.promises (id)
	WHERE state OPERATOR(pg_catalog.=) ANY (ARRAY['pending', 'running', 'failed'])

----
CREATE TABLE pgsluice.artifacts (
	system_identifier bigint NOT NULL,
	database_oid pg_catalog.oid NOT NULL,
	id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
	kind pg_catalog.text NOT NULL,
	schema_name pg_catalog.text NOT NULL,
	name pg_catalog.text NOT NULL,
	table_oid pg_catalog.oid NOT NULL,
	-- The promise that it is made for; 0 when the statement runs on the spot.
	promise_id bigint NOT NULL,
	-- The backend that makes it.
	pid integer NOT NULL,
	backend_start bigint NOT NULL,
	created timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (system_identifier, database_oid, id)
)

----
ALTER TABLE pgsluice.installation ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pgsluice.keys ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pgsluice.promises ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pgsluice.artifacts ENABLE ROW LEVEL SECURITY

---- version 2

-- A bulk write that runs in batches. The control login writes it: what a client's transaction would write of it could be rolled back.
CREATE TABLE pgsluice.jobs (
	system_identifier bigint NOT NULL,
	database_oid pg_catalog.oid NOT NULL,
	-- From the sequence of the nonces, so that no promise has the same.
	id bigint NOT NULL,
	-- session_user, and the role that SET ROLE had made of it: nobody else may go on with it.
	login pg_catalog.oid NOT NULL,
	role pg_catalog.oid NOT NULL,
	table_oid pg_catalog.oid NOT NULL,
	-- A hash of the statement and its parameters.
	fingerprint pg_catalog.text NOT NULL,
	-- The version of the engine: another one may go another way.
	engine integer NOT NULL,
	tag pg_catalog.text NOT NULL,
	-- {"asked": ..., "work": ...}; the work has the parameters, and is struck when the job has ended.
	content pg_catalog.json NOT NULL,
	key_id integer NOT NULL,
	-- Lower-case hex. All above is signed.
	mac pg_catalog.text NOT NULL,
	state pg_catalog.text NOT NULL DEFAULT 'running'
		CHECK (state OPERATOR(pg_catalog.=) ANY (ARRAY['running', 'stopped', 'done', 'void'])),
	-- What a person wants of it.
	wanted pg_catalog.text NOT NULL DEFAULT 'run' CHECK (wanted OPERATOR(pg_catalog.=) ANY (ARRAY['run', 'pause', 'cancel'])),
	-- Milliseconds, and a part of the time that a batch takes; NULL: as the proxy is configured.
	target_time integer,
	nice_ratio double precision,
	-- Why it waits right now.
	reason pg_catalog.text NOT NULL DEFAULT '',
	sqlstate pg_catalog.text NOT NULL DEFAULT '',
	message pg_catalog.text NOT NULL DEFAULT '',
	-- Who works on it: the process, and the backend, whose batches alone are accepted.
	runner pg_catalog.text NOT NULL,
	pid integer NOT NULL,
	backend_start bigint NOT NULL,
	heartbeat timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	created timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	started timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	finished timestamp with time zone,
	PRIMARY KEY (system_identifier, database_oid, id)
)

----
CREATE UNIQUE INDEX jobs_open ON pgsluice.jobs (system_identifier, database_oid, login, role, table_oid, fingerprint, engine)
	WHERE state OPERATOR(pg_catalog.=) ANY (ARRAY['running', 'stopped'])

----
-- How far a job is in one table: written by the transaction of each batch.
CREATE TABLE pgsluice.checkpoints (
	system_identifier bigint NOT NULL,
	database_oid pg_catalog.oid NOT NULL,
	job bigint NOT NULL,
	table_oid pg_catalog.oid NOT NULL,
	-- The key of the last row that was gone over, as a JSON array in ASCII.
	position pg_catalog.text NOT NULL,
	-- Rows that were changed, and those that were gone over.
	changed bigint NOT NULL,
	passed bigint NOT NULL,
	batches bigint NOT NULL,
	finished boolean NOT NULL,
	updated timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (system_identifier, database_oid, job, table_oid)
) WITH (fillfactor = 50)

----
ALTER TABLE pgsluice.jobs ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pgsluice.checkpoints ENABLE ROW LEVEL SECURITY

---- version 3

-- What was asked and what became of it, a row for each statement that was judged. The control login alone writes it.
CREATE TABLE pgsluice.statements (
	system_identifier bigint NOT NULL,
	database_oid pg_catalog.oid NOT NULL,
	id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
	-- The revision that it belongs to; NULL for none, or none yet.
	revision_id bigint,
	-- The proxy's own name of the session; pid is its backend.
	session pg_catalog.text NOT NULL,
	pid integer NOT NULL,
	login pg_catalog.text NOT NULL,
	role pg_catalog.text NOT NULL,
	-- The client's address, without its port.
	client pg_catalog.text NOT NULL,
	application pg_catalog.text NOT NULL,
	-- The tool whose version table the statement writes to; '' for every other.
	tool pg_catalog.text NOT NULL DEFAULT '',
	-- What is done to the tables that a tool keeps for itself belongs to no revision.
	own boolean NOT NULL DEFAULT false,
	tag pg_catalog.text NOT NULL,
	asked pg_catalog.text NOT NULL,
	-- SHA-256, in lower-case hex, of more of the statement than asked has: its bodies, and what stands behind the cut.
	digest pg_catalog.text NOT NULL,
	fingerprint pg_catalog.text NOT NULL DEFAULT '',
	verdict pg_catalog.text NOT NULL,
	rules pg_catalog.text[] NOT NULL DEFAULT '{}',
	-- [{"rule": ..., "verdict": ..., "source": ..., "reason": ...}]
	overrides pg_catalog.json NOT NULL DEFAULT '[]',
	-- What the server was given instead; [] is what was asked, or nothing.
	ran pg_catalog.json NOT NULL DEFAULT '[]',
	-- [{"table": ..., "mode": ...}]: the locks that block others, as the manual has them.
	locks pg_catalog.json NOT NULL DEFAULT '[]',
	tries integer NOT NULL DEFAULT 0,
	waited_ms bigint NOT NULL DEFAULT 0,
	-- NULL where the answer told none.
	rows bigint,
	promise_id bigint NOT NULL DEFAULT 0,
	sqlstate pg_catalog.text NOT NULL DEFAULT '',
	error pg_catalog.text NOT NULL DEFAULT '',
	-- begun: it was about to run. open: it ran, its transaction has not ended. lost: the connection broke before the answer.
	outcome pg_catalog.text NOT NULL DEFAULT 'begun' CHECK (outcome OPERATOR(pg_catalog.=) ANY (ARRAY[
		'begun', 'open', 'committed', 'rolled back', 'failed', 'refused', 'lost', 'observed'])),
	-- The transaction, as far as it is known; attested when it carries a row of attestations.
	xid pg_catalog.xid8,
	attested boolean NOT NULL DEFAULT false,
	started timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	finished timestamp with time zone,
	PRIMARY KEY (system_identifier, database_oid, id)
)

----
CREATE INDEX statements_open ON pgsluice.statements (id)
	WHERE outcome OPERATOR(pg_catalog.=) ANY (ARRAY['begun', 'open', 'lost'])

----
CREATE INDEX statements_revision ON pgsluice.statements (revision_id)

----
-- What tools have told by their version tables, a row for each time that a revision was applied or taken back. The control login alone writes it.
CREATE TABLE pgsluice.revisions (
	system_identifier bigint NOT NULL,
	database_oid pg_catalog.oid NOT NULL,
	id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
	tool pg_catalog.text NOT NULL,
	version_table pg_catalog.text NOT NULL,
	-- '' is not known, or all of them.
	revision pg_catalog.text NOT NULL,
	-- What the table had before, where one row stands for all.
	previous pg_catalog.text NOT NULL DEFAULT '',
	row_key pg_catalog.text NOT NULL DEFAULT '',
	direction pg_catalog.text NOT NULL CHECK (direction OPERATOR(pg_catalog.=) ANY (ARRAY['up', 'down', 'force', 'moved'])),
	-- running: begun, and not ended. told: its row is written; whether that holds says the outcome of the write.
	state pg_catalog.text NOT NULL CHECK (state OPERATOR(pg_catalog.=) ANY (ARRAY['running', 'told', 'failed', 'unsaid'])),
	-- The write to the version table.
	statement_id bigint NOT NULL,
	session pg_catalog.text NOT NULL,
	pid integer NOT NULL,
	login pg_catalog.text NOT NULL,
	client pg_catalog.text NOT NULL,
	application pg_catalog.text NOT NULL,
	started timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	finished timestamp with time zone,
	PRIMARY KEY (system_identifier, database_oid, id)
)

----
CREATE INDEX revisions_revision ON pgsluice.revisions (revision, id)

----
-- One row in the client's own transaction for each statement that it has run there: the two commit or vanish together, savepoints included.
CREATE TABLE pgsluice.attestations (
	system_identifier bigint NOT NULL,
	database_oid pg_catalog.oid NOT NULL,
	-- The nonce that the signature was made for.
	id bigint NOT NULL,
	xid pg_catalog.xid8 NOT NULL,
	seq integer NOT NULL,
	statement_id bigint NOT NULL,
	digest pg_catalog.text NOT NULL,
	login pg_catalog.oid NOT NULL,
	role pg_catalog.oid NOT NULL,
	pid integer NOT NULL,
	backend_start bigint NOT NULL,
	key_id integer NOT NULL,
	mac pg_catalog.text NOT NULL,
	PRIMARY KEY (system_identifier, database_oid, id),
	UNIQUE (system_identifier, database_oid, xid, seq)
)

----
CREATE INDEX attestations_statement ON pgsluice.attestations (statement_id)

----
ALTER TABLE pgsluice.statements ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pgsluice.revisions ENABLE ROW LEVEL SECURITY
----
ALTER TABLE pgsluice.attestations ENABLE ROW LEVEL SECURITY

---- version 4

-- A write to a version table is kept as long as what it has told.
CREATE INDEX revisions_statement ON pgsluice.revisions (statement_id)

----
-- Lines of audit trails, by which somebody can tell whether what stands before them was changed. The control login adds them, and nobody changes or
-- removes one; but pgsluice.prune thins out the old ones.
CREATE TABLE pgsluice.anchors (
	system_identifier bigint NOT NULL,
	database_oid pg_catalog.oid NOT NULL,
	chain pg_catalog.text NOT NULL,
	-- The number of the line in its chain.
	seq bigint NOT NULL,
	-- Of the line, in lower-case hex.
	hash pg_catalog.text NOT NULL,
	-- Who writes the chain.
	process pg_catalog.text NOT NULL,
	anchored timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (system_identifier, database_oid, chain, seq)
)

----
ALTER TABLE pgsluice.anchors ENABLE ROW LEVEL SECURITY

---- version 5

-- A schema change as the server saw it, which the event triggers of install --event-trigger have written into the transaction that made it. Of those that
-- were judged a statement tells: pgsluice.sort_changes deletes them. What stays came past every proxy, or out of a function.
CREATE TABLE pgsluice.changes (
	system_identifier bigint NOT NULL,
	database_oid pg_catalog.oid NOT NULL,
	id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
	xid pg_catalog.xid8 NOT NULL,
	pid integer NOT NULL,
	-- Microseconds since 1970; 0 when it could not be seen.
	backend_start bigint NOT NULL,
	-- session_user, and the role that SET ROLE had made of it. Whose SECURITY DEFINER function it was cannot be told.
	login pg_catalog.text NOT NULL,
	role pg_catalog.text NOT NULL,
	-- The address that the server saw; '' for a Unix socket.
	client pg_catalog.text NOT NULL,
	application pg_catalog.text NOT NULL,
	-- There is no text: nothing here could find the secrets in it.
	tag pg_catalog.text NOT NULL,
	-- Whether the objects were dropped.
	dropped boolean NOT NULL,
	-- [{"type": ..., "identity": ...}], the first of them, and how many more there were.
	objects pg_catalog.json NOT NULL,
	further bigint NOT NULL,
	-- When the client's message had come.
	sent timestamp with time zone NOT NULL,
	changed timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	-- False while nobody has looked whether it was judged.
	out_of_band boolean NOT NULL DEFAULT false,
	-- The proxy's session in which it was, '' when none is known.
	session pg_catalog.text NOT NULL DEFAULT '',
	-- How many more the same login made within the hour, which are not kept.
	left_out bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (system_identifier, database_oid, id)
)

----
CREATE INDEX changes_unsorted ON pgsluice.changes (id) WHERE NOT out_of_band

----
CREATE INDEX changes_changed ON pgsluice.changes (changed) WHERE out_of_band

----
CREATE INDEX promises_backend ON pgsluice.promises (backend_start, pid)

----
CREATE INDEX promises_claimer ON pgsluice.promises (claimed_start, claimed_pid) WHERE claimed_pid OPERATOR(pg_catalog.<>) 0

----
-- Which statement a backend was at, at a time.
CREATE INDEX statements_pid ON pgsluice.statements (pid, started)

----
ALTER TABLE pgsluice.changes ENABLE ROW LEVEL SECURITY

---- functions

DROP POLICY IF EXISTS control ON pgsluice.installation
----
DROP POLICY IF EXISTS control ON pgsluice.keys
----
DROP POLICY IF EXISTS control ON pgsluice.promises
----
DROP POLICY IF EXISTS control ON pgsluice.statements
----
DROP POLICY IF EXISTS control ON pgsluice.revisions
----
DROP POLICY IF EXISTS control ON pgsluice.attestations
----
DROP POLICY IF EXISTS control ON pgsluice.anchors
----
DROP POLICY IF EXISTS control ON pgsluice.artifacts
----
DROP POLICY IF EXISTS control ON pgsluice.jobs
----
DROP POLICY IF EXISTS control ON pgsluice.checkpoints
----
DROP POLICY IF EXISTS control ON pgsluice.changes

----
-- The session and transaction that a signature is bound to.
CREATE OR REPLACE FUNCTION pgsluice.caller(
	OUT system_identifier bigint, OUT database_oid pg_catalog.oid, OUT login pg_catalog.oid, OUT role pg_catalog.oid,
	OUT pid integer, OUT backend_start bigint, OUT xid pg_catalog.xid8)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	set_role pg_catalog.text := pg_catalog.current_setting('role');
BEGIN
	SELECT s.system_identifier, d.oid,
		pg_catalog.to_regrole(pg_catalog.quote_ident(SESSION_USER)),
		-- In a SECURITY DEFINER function CURRENT_USER is the function's owner; the setting still tells the caller's.
		pg_catalog.to_regrole(pg_catalog.quote_ident(
			CASE WHEN set_role OPERATOR(pg_catalog.=) 'none' THEN SESSION_USER::pg_catalog.text ELSE set_role END)),
		a.pid,
		-- A double holds today's microseconds exactly, and extract() as numeric is not in Postgres 13.
		pg_catalog.round(pg_catalog.date_part('epoch', a.backend_start) OPERATOR(pg_catalog.*) 1000000::double precision)::bigint,
		pg_catalog.pg_current_xact_id()
	INTO caller.system_identifier, caller.database_oid, caller.login, caller.role, caller.pid, caller.backend_start, caller.xid
	FROM pg_catalog.pg_control_system() AS s,
		pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS a,
		pg_catalog.pg_database AS d
	WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database();
	IF caller.backend_start IS NULL THEN
		RAISE EXCEPTION 'pgsluice: the role pgsluice_owner cannot see when this session began' USING
			ERRCODE = 'insufficient_privilege',
			HINT = 'Run pgsluice install again, or as a superuser: GRANT pg_read_all_stats TO pgsluice_owner';
	END IF;
END
$$

----
-- A new nonce, and all that a signature made for it has to name, as one JSON object.
CREATE OR REPLACE FUNCTION pgsluice.nonce() RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT pg_catalog.row_to_json(r)::pg_catalog.text
		FROM (SELECT c.*, pg_catalog.nextval('pgsluice.nonces'::pg_catalog.regclass) AS nonce FROM pgsluice.caller() AS c) AS r);
END
$$

----
CREATE OR REPLACE FUNCTION pgsluice.field(content pg_catalog.bytea) RETURNS pg_catalog.bytea
LANGUAGE sql IMMUTABLE AS $$
	SELECT pg_catalog.int4send(pg_catalog.octet_length(content)) OPERATOR(pg_catalog.||) content
$$

----
CREATE OR REPLACE FUNCTION pgsluice.field(content pg_catalog.text) RETURNS pg_catalog.bytea
LANGUAGE sql STABLE AS $$
	SELECT pgsluice.field(pg_catalog.convert_to(content, 'UTF8'))
$$

----
CREATE OR REPLACE FUNCTION pgsluice.field(content bigint) RETURNS pg_catalog.bytea
LANGUAGE sql IMMUTABLE AS $$
	SELECT pgsluice.field(pg_catalog.int8send(content))
$$

----
-- Whether mac is the HMAC-SHA256 of the message under a key that is in use. A null makes it false. The secret never
-- becomes a parameter or a constant of a plan, because debug_print_plan would show it to the caller; and the two MACs
-- are compared by their hashes, so that the time it takes tells nothing of the right one.
CREATE OR REPLACE FUNCTION pgsluice.signed(
	system bigint, database pg_catalog.oid, key integer, message pg_catalog.bytea, mac pg_catalog.text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN EXISTS (
		SELECT FROM pgsluice.keys AS k
		WHERE k.system_identifier OPERATOR(pg_catalog.=) system
			AND k.database_oid OPERATOR(pg_catalog.=) database
			AND k.id OPERATOR(pg_catalog.=) key
			AND k.retired IS NULL
			AND pg_catalog.sha256(pg_catalog.convert_to(mac, 'UTF8')) OPERATOR(pg_catalog.=) pg_catalog.sha256(
				pg_catalog.convert_to(pg_catalog.encode(pg_catalog.sha256(k.outer_pad OPERATOR(pg_catalog.||)
					pg_catalog.sha256(k.inner_pad OPERATOR(pg_catalog.||) message)), 'hex'), 'UTF8')));
END
$$

----
-- Writes a promise into the transaction that it is called in, and returns its id. PS002: not signed for this very call;
-- PS003: the transaction has made too many.
CREATE OR REPLACE FUNCTION pgsluice.promise(
	nonce bigint, key integer, kind pg_catalog.text, tag pg_catalog.text, target pg_catalog.oid, payload pg_catalog.text,
	mac pg_catalog.text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	me record;
	place integer;
BEGIN
	SELECT * INTO me FROM pgsluice.caller();
	IF NOT pgsluice.signed(me.system_identifier, me.database_oid, key,
		pgsluice.field('pgsluice.promise'::pg_catalog.text)
			OPERATOR(pg_catalog.||) pgsluice.field(me.system_identifier)
			OPERATOR(pg_catalog.||) pgsluice.field(me.database_oid::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(key::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(nonce)
			OPERATOR(pg_catalog.||) pgsluice.field(me.pid::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(me.backend_start)
			OPERATOR(pg_catalog.||) pgsluice.field(me.xid::pg_catalog.text::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(me.login::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(me.role::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(kind)
			OPERATOR(pg_catalog.||) pgsluice.field(tag)
			OPERATOR(pg_catalog.||) pgsluice.field(target::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(payload),
		mac)
	THEN
		RAISE EXCEPTION 'pgsluice: this promise is not signed for this session and transaction' USING
			ERRCODE = 'PS002',
			HINT = 'Only a pgsluice proxy calls this function. If one did, its key has been rotated: try again.';
	END IF;

	-- ROLLBACK TO takes a row away but never moves a sequence back: the call below makes this nonce the last but one for
	-- good, and the signature that was made for it worthless.
	IF nonce OPERATOR(pg_catalog.<>) pg_catalog.currval('pgsluice.nonces'::pg_catalog.regclass) THEN
		RAISE EXCEPTION 'pgsluice: this promise has been made before' USING
			ERRCODE = 'PS002',
			HINT = 'Only a pgsluice proxy calls this function, once for each promise.';
	END IF;
	PERFORM pg_catalog.nextval('pgsluice.nonces'::pg_catalog.regclass);

	SELECT COALESCE(pg_catalog.max(p.seq), 0) OPERATOR(pg_catalog.+) 1 INTO place
	FROM pgsluice.promises AS p
	WHERE p.system_identifier OPERATOR(pg_catalog.=) me.system_identifier
		AND p.database_oid OPERATOR(pg_catalog.=) me.database_oid
		AND p.xid OPERATOR(pg_catalog.=) me.xid;
	IF place OPERATOR(pg_catalog.>) 1000 THEN
		RAISE EXCEPTION 'pgsluice: one transaction can defer at most 1000 statements' USING
			ERRCODE = 'PS003',
			HINT = 'Split the migration into several transactions.';
	END IF;

	INSERT INTO pgsluice.promises (system_identifier, database_oid, id, xid, seq, login, role, pid, backend_start,
		kind, tag, table_oid, payload, key_id, mac)
	VALUES (me.system_identifier, me.database_oid, nonce, me.xid, place, me.login, me.role, me.pid, me.backend_start,
		kind, tag, target, payload::pg_catalog.json, key, mac);
	RETURN nonce;
END
$$

----
-- Writes down, in the transaction of a batch, how far a job is now in one of its tables, and returns what people want of the job, as one JSON object.
-- PS002: not signed for this very call; PS004: the job is not, or no longer, this backend's, or not where it is said to be.
CREATE OR REPLACE FUNCTION pgsluice.checkpoint(
	nonce bigint, key integer, job bigint, target pg_catalog.oid, previous pg_catalog.text, reached pg_catalog.text,
	changed bigint, passed bigint, finished boolean, mac pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	me record;
	steering pg_catalog.text;
BEGIN
	SELECT * INTO me FROM pgsluice.caller();
	IF NOT pgsluice.signed(me.system_identifier, me.database_oid, key,
		pgsluice.field('pgsluice.checkpoint'::pg_catalog.text)
			OPERATOR(pg_catalog.||) pgsluice.field(me.system_identifier)
			OPERATOR(pg_catalog.||) pgsluice.field(me.database_oid::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(key::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(nonce)
			OPERATOR(pg_catalog.||) pgsluice.field(me.pid::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(me.backend_start)
			OPERATOR(pg_catalog.||) pgsluice.field(me.xid::pg_catalog.text::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(me.login::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(me.role::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(job)
			OPERATOR(pg_catalog.||) pgsluice.field(target::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(previous)
			OPERATOR(pg_catalog.||) pgsluice.field(reached)
			OPERATOR(pg_catalog.||) pgsluice.field(changed)
			OPERATOR(pg_catalog.||) pgsluice.field(passed)
			OPERATOR(pg_catalog.||) pgsluice.field(finished::integer::bigint),
		mac)
	THEN
		RAISE EXCEPTION 'pgsluice: this checkpoint is not signed for this session and transaction' USING
			ERRCODE = 'PS002',
			HINT = 'Only a pgsluice proxy calls this function. If one did, its key has been rotated: try again.';
	END IF;

	-- As in pgsluice.promise().
	IF nonce OPERATOR(pg_catalog.<>) pg_catalog.currval('pgsluice.nonces'::pg_catalog.regclass) THEN
		RAISE EXCEPTION 'pgsluice: this checkpoint has been written before' USING
			ERRCODE = 'PS002',
			HINT = 'Only a pgsluice proxy calls this function, once for each batch.';
	END IF;
	PERFORM pg_catalog.nextval('pgsluice.nonces'::pg_catalog.regclass);

	SELECT pg_catalog.json_build_object('wanted', j.wanted, 'target_time', j.target_time, 'nice_ratio', j.nice_ratio)::pg_catalog.text
	INTO steering
	FROM pgsluice.jobs AS j
	WHERE j.system_identifier OPERATOR(pg_catalog.=) me.system_identifier
		AND j.database_oid OPERATOR(pg_catalog.=) me.database_oid
		AND j.id OPERATOR(pg_catalog.=) checkpoint.job
		AND j.login OPERATOR(pg_catalog.=) me.login
		AND j.state OPERATOR(pg_catalog.=) 'running'
		AND j.pid OPERATOR(pg_catalog.=) me.pid
		AND j.backend_start OPERATOR(pg_catalog.=) me.backend_start;
	IF steering IS NOT NULL AND previous OPERATOR(pg_catalog.=) '' THEN
		INSERT INTO pgsluice.checkpoints (system_identifier, database_oid, job, table_oid, position, changed, passed, batches, finished)
		VALUES (me.system_identifier, me.database_oid, checkpoint.job, target, reached, checkpoint.changed, checkpoint.passed, 1,
			checkpoint.finished)
		ON CONFLICT DO NOTHING;
	ELSIF steering IS NOT NULL THEN
		UPDATE pgsluice.checkpoints AS c
		SET position = reached, changed = c.changed OPERATOR(pg_catalog.+) checkpoint.changed,
			passed = c.passed OPERATOR(pg_catalog.+) checkpoint.passed, batches = c.batches OPERATOR(pg_catalog.+) 1,
			finished = checkpoint.finished, updated = pg_catalog.clock_timestamp()
		WHERE c.system_identifier OPERATOR(pg_catalog.=) me.system_identifier
			AND c.database_oid OPERATOR(pg_catalog.=) me.database_oid
			AND c.job OPERATOR(pg_catalog.=) checkpoint.job
			AND c.table_oid OPERATOR(pg_catalog.=) target
			AND c.position OPERATOR(pg_catalog.=) previous
			AND NOT c.finished;
	END IF;
	IF steering IS NULL OR NOT FOUND THEN
		RAISE EXCEPTION 'pgsluice: somebody else has gone on with job %, or it has ended', checkpoint.job USING
			ERRCODE = 'PS004',
			HINT = 'Nothing of this batch is left. pgsluice jobs show tells how far the job is.';
	END IF;
	RETURN steering;
END
$$

----
-- Writes into the transaction that it is called in that a statement has run there, and returns a nonce for the next. PS002 and PS003 as above.
CREATE OR REPLACE FUNCTION pgsluice.attest(
	nonce bigint, key integer, statement bigint, digest pg_catalog.text, mac pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	me record;
	place integer;
BEGIN
	SELECT * INTO me FROM pgsluice.caller();
	IF NOT pgsluice.signed(me.system_identifier, me.database_oid, key,
		pgsluice.field('pgsluice.attest'::pg_catalog.text)
			OPERATOR(pg_catalog.||) pgsluice.field(me.system_identifier)
			OPERATOR(pg_catalog.||) pgsluice.field(me.database_oid::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(key::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(nonce)
			OPERATOR(pg_catalog.||) pgsluice.field(me.pid::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(me.backend_start)
			OPERATOR(pg_catalog.||) pgsluice.field(me.xid::pg_catalog.text::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(me.login::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(me.role::bigint)
			OPERATOR(pg_catalog.||) pgsluice.field(statement)
			OPERATOR(pg_catalog.||) pgsluice.field(digest),
		mac)
	THEN
		RAISE EXCEPTION 'pgsluice: this statement is not signed for this session and transaction' USING
			ERRCODE = 'PS002',
			HINT = 'Only a pgsluice proxy calls this function. If one did, its key has been rotated: try again.';
	END IF;

	-- As in pgsluice.promise: a nonce is good for one call, whatever ROLLBACK TO takes back.
	IF nonce OPERATOR(pg_catalog.<>) pg_catalog.currval('pgsluice.nonces'::pg_catalog.regclass) THEN
		RAISE EXCEPTION 'pgsluice: this statement has been written down before' USING
			ERRCODE = 'PS002',
			HINT = 'Only a pgsluice proxy calls this function, once for each statement.';
	END IF;

	SELECT COALESCE(pg_catalog.max(a.seq), 0) OPERATOR(pg_catalog.+) 1 INTO place
	FROM pgsluice.attestations AS a
	WHERE a.system_identifier OPERATOR(pg_catalog.=) me.system_identifier
		AND a.database_oid OPERATOR(pg_catalog.=) me.database_oid
		AND a.xid OPERATOR(pg_catalog.=) me.xid;
	IF place OPERATOR(pg_catalog.>) 10000 THEN
		RAISE EXCEPTION 'pgsluice: one transaction can have at most 10000 statements written down' USING
			ERRCODE = 'PS003',
			HINT = 'Split the migration into several transactions.';
	END IF;

	INSERT INTO pgsluice.attestations (system_identifier, database_oid, id, xid, seq, statement_id, digest, login, role, pid, backend_start, key_id, mac)
	VALUES (me.system_identifier, me.database_oid, nonce, me.xid, place, statement, digest, me.login, me.role, me.pid, me.backend_start, key, mac);
	-- As pgsluice.nonce() does, which would ask once more who calls: half of what this function takes.
	RETURN (SELECT pg_catalog.row_to_json(r)::pg_catalog.text
		FROM (SELECT me.system_identifier, me.database_oid, me.login, me.role, me.pid, me.backend_start, me.xid,
			pg_catalog.nextval('pgsluice.nonces'::pg_catalog.regclass) AS nonce) AS r);
END
$$

----
-- Deletes, of each kind, at most so many of the oldest rows that have ended before as long ago as they are kept, and returns how many, as one JSON object. What
-- is open or has failed stays, and so does what became of each revision the last time, with its statements, and of each audit trail an anchor a day. What somebody
-- else is at is passed over.
CREATE OR REPLACE FUNCTION pgsluice.prune(keep pg_catalog.interval, most integer) RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	home record;
	before timestamp with time zone;
	promises bigint;
	jobs bigint;
	revisions bigint;
	statements bigint;
	anchors bigint;
	changes bigint;
BEGIN
	IF NOT COALESCE(keep OPERATOR(pg_catalog.>=) '1 day'::pg_catalog.interval AND most OPERATOR(pg_catalog.>) 0, false) THEN
		RAISE EXCEPTION 'pgsluice: the ledger keeps what has ended for a day at least' USING
			ERRCODE = 'invalid_parameter_value';
	END IF;
	before := pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) keep;
	SELECT s.system_identifier, d.oid AS database_oid INTO home
	FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_database AS d
	WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database();

	WITH chosen AS MATERIALIZED (
		SELECT p.id
		FROM pgsluice.promises AS p
		WHERE p.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
			AND p.database_oid OPERATOR(pg_catalog.=) home.database_oid
			AND p.state OPERATOR(pg_catalog.=) ANY (ARRAY['done', 'void'])
			AND p.finished OPERATOR(pg_catalog.<) before
		ORDER BY p.id
		LIMIT most
		FOR UPDATE SKIP LOCKED
	)
	DELETE FROM pgsluice.promises AS p
	USING chosen AS c
	WHERE p.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
		AND p.database_oid OPERATOR(pg_catalog.=) home.database_oid
		AND p.id OPERATOR(pg_catalog.=) c.id;
	GET DIAGNOSTICS promises = ROW_COUNT;

	WITH chosen AS MATERIALIZED (
		SELECT j.id
		FROM pgsluice.jobs AS j
		WHERE j.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
			AND j.database_oid OPERATOR(pg_catalog.=) home.database_oid
			AND j.state OPERATOR(pg_catalog.=) ANY (ARRAY['done', 'void'])
			AND j.finished OPERATOR(pg_catalog.<) before
			-- The job of a deferred bulk write tells that its promise need not be kept once more.
			AND NOT EXISTS (
				SELECT FROM pgsluice.promises AS p
				WHERE p.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
					AND p.database_oid OPERATOR(pg_catalog.=) home.database_oid
					AND p.login OPERATOR(pg_catalog.=) j.login
					AND p.kind OPERATOR(pg_catalog.=) 'bulk-write'
					AND p.state OPERATOR(pg_catalog.=) ANY (ARRAY['pending', 'running', 'failed']))
		ORDER BY j.id
		LIMIT most
		FOR UPDATE SKIP LOCKED
	), checkpoints AS (
		DELETE FROM pgsluice.checkpoints AS k
		USING chosen AS c
		WHERE k.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
			AND k.database_oid OPERATOR(pg_catalog.=) home.database_oid
			AND k.job OPERATOR(pg_catalog.=) c.id
	)
	DELETE FROM pgsluice.jobs AS j
	USING chosen AS c
	WHERE j.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
		AND j.database_oid OPERATOR(pg_catalog.=) home.database_oid
		AND j.id OPERATOR(pg_catalog.=) c.id;
	GET DIAGNOSTICS jobs = ROW_COUNT;

	WITH told AS (
		-- A revision holds when the transaction that wrote its row is committed.
		SELECT r.id, r.tool, r.version_table, r.revision, r.row_key, r.state, r.statement_id, COALESCE(r.finished, r.started) AS ended,
			COALESCE(r.state OPERATOR(pg_catalog.=) 'told' AND w.outcome OPERATOR(pg_catalog.=) 'committed', false) AS holds
		FROM pgsluice.revisions AS r
		LEFT JOIN pgsluice.statements AS w ON w.system_identifier OPERATOR(pg_catalog.=) r.system_identifier
			AND w.database_oid OPERATOR(pg_catalog.=) r.database_oid
			AND w.id OPERATOR(pg_catalog.=) r.statement_id
		WHERE r.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
			AND r.database_oid OPERATOR(pg_catalog.=) home.database_oid
	), series AS (
		SELECT t.*, pg_catalog.max(t.id) FILTER (WHERE t.state OPERATOR(pg_catalog.<>) 'unsaid') OVER same AS newest,
			pg_catalog.max(t.id) FILTER (WHERE t.holds) OVER same AS newest_that_holds
		FROM told AS t
		WINDOW same AS (PARTITION BY t.tool, t.version_table, t.revision, t.row_key)
	), old AS MATERIALIZED (
		SELECT o.id
		FROM series AS o
		WHERE o.state OPERATOR(pg_catalog.<>) 'running'
			AND o.ended OPERATOR(pg_catalog.<) before
			AND (o.state OPERATOR(pg_catalog.=) 'unsaid'
				OR o.id OPERATOR(pg_catalog.<) o.newest_that_holds
				OR NOT o.holds AND o.id OPERATOR(pg_catalog.<) o.newest)
			AND NOT EXISTS (
				SELECT FROM pgsluice.statements AS s
				LEFT JOIN pgsluice.promises AS p ON p.system_identifier OPERATOR(pg_catalog.=) s.system_identifier
					AND p.database_oid OPERATOR(pg_catalog.=) s.database_oid
					AND p.id OPERATOR(pg_catalog.=) s.promise_id
				WHERE s.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
					AND s.database_oid OPERATOR(pg_catalog.=) home.database_oid
					AND (s.revision_id OPERATOR(pg_catalog.=) o.id OR s.id OPERATOR(pg_catalog.=) o.statement_id)
					AND (s.outcome OPERATOR(pg_catalog.=) ANY (ARRAY['begun', 'open'])
						OR p.state OPERATOR(pg_catalog.=) ANY (ARRAY['pending', 'running', 'failed'])))
		ORDER BY o.id
		LIMIT most
	), chosen AS MATERIALIZED (
		SELECT r.id, r.statement_id
		FROM pgsluice.revisions AS r
		JOIN old AS o ON o.id OPERATOR(pg_catalog.=) r.id
		WHERE r.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
			AND r.database_oid OPERATOR(pg_catalog.=) home.database_oid
		FOR UPDATE OF r SKIP LOCKED
	), behind AS (
		DELETE FROM pgsluice.statements AS s
		USING chosen AS c
		WHERE s.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
			AND s.database_oid OPERATOR(pg_catalog.=) home.database_oid
			AND (s.revision_id OPERATOR(pg_catalog.=) c.id OR s.id OPERATOR(pg_catalog.=) c.statement_id)
			-- One write may have told of several revisions, and one revision's statement may have told of another: it goes with the last of them.
			AND NOT EXISTS (
				SELECT FROM pgsluice.revisions AS other
				WHERE other.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
					AND other.database_oid OPERATOR(pg_catalog.=) home.database_oid
					AND (other.statement_id OPERATOR(pg_catalog.=) s.id OR other.id OPERATOR(pg_catalog.=) s.revision_id)
					AND other.id OPERATOR(pg_catalog.<>) ALL (SELECT gone.id FROM chosen AS gone))
		RETURNING s.id
	), attested AS (
		DELETE FROM pgsluice.attestations AS a
		USING behind AS b
		WHERE a.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
			AND a.database_oid OPERATOR(pg_catalog.=) home.database_oid
			AND a.statement_id OPERATOR(pg_catalog.=) b.id
	)
	DELETE FROM pgsluice.revisions AS r
	USING chosen AS c
	WHERE r.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
		AND r.database_oid OPERATOR(pg_catalog.=) home.database_oid
		AND r.id OPERATOR(pg_catalog.=) c.id;
	GET DIAGNOSTICS revisions = ROW_COUNT;

	WITH chosen AS MATERIALIZED (
		SELECT s.id
		FROM pgsluice.statements AS s
		WHERE s.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
			AND s.database_oid OPERATOR(pg_catalog.=) home.database_oid
			-- Its revision may be gone, when two that shared it were pruned at once.
			AND (s.revision_id IS NULL OR NOT EXISTS (
				SELECT FROM pgsluice.revisions AS r
				WHERE r.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
					AND r.database_oid OPERATOR(pg_catalog.=) home.database_oid
					AND r.id OPERATOR(pg_catalog.=) s.revision_id))
			AND s.outcome OPERATOR(pg_catalog.<>) ALL (ARRAY['begun', 'open'])
			AND COALESCE(s.finished, s.started) OPERATOR(pg_catalog.<) before
			AND (s.promise_id OPERATOR(pg_catalog.=) 0 OR NOT EXISTS (
				SELECT FROM pgsluice.promises AS p
				WHERE p.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
					AND p.database_oid OPERATOR(pg_catalog.=) home.database_oid
					AND p.id OPERATOR(pg_catalog.=) s.promise_id
					AND p.state OPERATOR(pg_catalog.=) ANY (ARRAY['pending', 'running', 'failed'])))
			AND NOT EXISTS (
				SELECT FROM pgsluice.revisions AS r
				WHERE r.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
					AND r.database_oid OPERATOR(pg_catalog.=) home.database_oid
					AND r.statement_id OPERATOR(pg_catalog.=) s.id)
		ORDER BY s.id
		LIMIT most
		FOR UPDATE OF s SKIP LOCKED
	), attested AS (
		DELETE FROM pgsluice.attestations AS a
		USING chosen AS c
		WHERE a.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
			AND a.database_oid OPERATOR(pg_catalog.=) home.database_oid
			AND a.statement_id OPERATOR(pg_catalog.=) c.id
	)
	DELETE FROM pgsluice.statements AS s
	USING chosen AS c
	WHERE s.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
		AND s.database_oid OPERATOR(pg_catalog.=) home.database_oid
		AND s.id OPERATOR(pg_catalog.=) c.id;
	GET DIAGNOSTICS statements = ROW_COUNT;

	-- Of each chain the last anchor of each day stays for ever: nobody here knows which files of its trail are kept.
	WITH old AS MATERIALIZED (
		SELECT a.chain, a.seq, pg_catalog.date_trunc('day', pg_catalog.timezone('UTC', a.anchored)) OPERATOR(pg_catalog.=)
				pg_catalog.lead(pg_catalog.date_trunc('day', pg_catalog.timezone('UTC', a.anchored))) OVER (PARTITION BY a.chain ORDER BY a.seq) AS followed
		FROM pgsluice.anchors AS a
		WHERE a.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
			AND a.database_oid OPERATOR(pg_catalog.=) home.database_oid
			AND a.anchored OPERATOR(pg_catalog.<) before
	), chosen AS MATERIALIZED (
		SELECT a.chain, a.seq
		FROM pgsluice.anchors AS a
		JOIN (SELECT o.chain, o.seq FROM old AS o WHERE o.followed ORDER BY o.chain, o.seq LIMIT most) AS o
			ON o.chain OPERATOR(pg_catalog.=) a.chain AND o.seq OPERATOR(pg_catalog.=) a.seq
		WHERE a.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
			AND a.database_oid OPERATOR(pg_catalog.=) home.database_oid
		FOR UPDATE OF a SKIP LOCKED
	)
	DELETE FROM pgsluice.anchors AS a
	USING chosen AS c
	WHERE a.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
		AND a.database_oid OPERATOR(pg_catalog.=) home.database_oid
		AND a.chain OPERATOR(pg_catalog.=) c.chain
		AND a.seq OPERATOR(pg_catalog.=) c.seq;
	GET DIAGNOSTICS anchors = ROW_COUNT;

	WITH chosen AS MATERIALIZED (
		SELECT c.id
		FROM pgsluice.changes AS c
		WHERE (c.system_identifier OPERATOR(pg_catalog.=) home.system_identifier AND c.database_oid OPERATOR(pg_catalog.=) home.database_oid) IS TRUE
			AND c.out_of_band
			AND c.changed OPERATOR(pg_catalog.<) before
		ORDER BY c.changed
		LIMIT most
		FOR UPDATE SKIP LOCKED
	)
	DELETE FROM pgsluice.changes AS c
	USING chosen AS o
	WHERE c.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
		AND c.database_oid OPERATOR(pg_catalog.=) home.database_oid
		AND c.id OPERATOR(pg_catalog.=) o.id;
	GET DIAGNOSTICS changes = ROW_COUNT;

	RETURN pg_catalog.json_build_object('promises', promises, 'jobs', jobs, 'revisions', revisions, 'statements', statements,
		'anchors', anchors, 'changes', changes)::pg_catalog.text;
END
$$

----
-- What the event triggers run, with everybody's schema changes: it never fails one, nor keeps one waiting, and runs nobody's code but the server's. What cannot
-- be written down is in the server's log. It reads no table of the ledger, so that no transaction that is SERIALIZABLE fails for it.
CREATE OR REPLACE FUNCTION pgsluice.note_change() RETURNS pg_catalog.event_trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
	listed CONSTANT integer := 20;
	-- What has no schema of its own is temporary if its table is. A name in which there is anything but these characters ends in a quote.
	parts CONSTANT pg_catalog.text[] := ARRAY['trigger', 'rule', 'policy', 'default value', 'table constraint'];
	of_temporary CONSTANT pg_catalog.text := '(^| )(on|for) pg_temp[.][a-z0-9_$.]+$';
	is_drop CONSTANT boolean := TG_EVENT OPERATOR(pg_catalog.=) 'sql_drop';
	touched pg_catalog.json;
	n bigint;
BEGIN
	IF TG_TAG OPERATOR(pg_catalog.=) ANY (ARRAY['REFRESH MATERIALIZED VIEW', 'REINDEX']) THEN
		RETURN; -- they change no schema
	END IF;
	IF is_drop THEN
		-- What depends on a dropped object by its nature, as an index on its table, goes without saying, and so do the parts of an extension.
		SELECT pg_catalog.json_agg(pg_catalog.json_build_object('type', o.type, 'identity', o.identity) ORDER BY o.place)
				FILTER (WHERE o.place OPERATOR(pg_catalog.<=) listed),
			pg_catalog.count(*)
		INTO touched, n
		FROM (
			SELECT d.object_type AS type, pg_catalog.substr(d.object_identity, 1, 300) AS identity,
				pg_catalog.row_number() OVER (ORDER BY d.original DESC, d.object_type, d.object_identity) AS place
			FROM pg_catalog.pg_event_trigger_dropped_objects() AS d
			WHERE (d.original OR d.normal AND d.object_type OPERATOR(pg_catalog.=) ANY (
					ARRAY['schema', 'table', 'foreign table', 'table column', 'table constraint', 'view', 'materialized view']
					OPERATOR(pg_catalog.||) CASE WHEN TG_TAG OPERATOR(pg_catalog.<>) 'DROP EXTENSION'
						THEN ARRAY['sequence', 'function', 'procedure', 'aggregate', 'type', 'domain constraint', 'trigger'] END))
				AND NOT d.is_temporary
				AND NOT (d.object_type OPERATOR(pg_catalog.=) ANY (parts) AND d.object_identity OPERATOR(pg_catalog.~) of_temporary)
		) AS o;
	ELSE
		SELECT pg_catalog.json_agg(pg_catalog.json_build_object('type', o.type, 'identity', o.identity) ORDER BY o.place)
				FILTER (WHERE o.place OPERATOR(pg_catalog.<=) listed),
			pg_catalog.count(*)
		INTO touched, n
		FROM (
			SELECT g.type, g.identity, pg_catalog.row_number() OVER (ORDER BY g.first) AS place
			FROM (
				SELECT pg_catalog.lower(c.object_type) AS type, pg_catalog.substr(COALESCE(c.object_identity, ''), 1, 300) AS identity, pg_catalog.min(c.n) AS first
				FROM (
					SELECT r.*, pg_catalog.row_number() OVER () AS n
					FROM pg_catalog.pg_event_trigger_ddl_commands() AS r
				) AS c
				-- Of an extension's script its CREATE EXTENSION tells.
				WHERE NOT c.in_extension AND COALESCE(c.schema_name, '') OPERATOR(pg_catalog.<>) 'pg_temp'
					AND NOT (c.object_type OPERATOR(pg_catalog.=) ANY (parts) AND COALESCE(c.object_identity, '') OPERATOR(pg_catalog.~) of_temporary)
				GROUP BY 1, 2
			) AS g
		) AS o;
	END IF;
	IF n OPERATOR(pg_catalog.=) 0 THEN
		RETURN;
	END IF;
	INSERT INTO pgsluice.changes (system_identifier, database_oid, xid, pid, backend_start, login, role, client, application, tag, dropped, objects,
		further, sent)
	SELECT s.system_identifier, d.oid, pg_catalog.pg_current_xact_id(), a.pid,
		COALESCE(pg_catalog.round(pg_catalog.date_part('epoch', a.backend_start) OPERATOR(pg_catalog.*) 1000000::double precision)::bigint, 0),
		SESSION_USER,
		CASE WHEN pg_catalog.current_setting('role') OPERATOR(pg_catalog.=) 'none' THEN SESSION_USER::pg_catalog.text
			ELSE pg_catalog.current_setting('role') END,
		COALESCE(pg_catalog.host(pg_catalog.inet_client_addr()), ''),
		-- What may be a connection string or worse is not written down.
		CASE WHEN pg_catalog.current_setting('application_name') OPERATOR(pg_catalog.~) '^[A-Za-z0-9 _.,:/()+-]*$'
			THEN pg_catalog.current_setting('application_name') ELSE '?' END,
		TG_TAG, is_drop, touched, GREATEST(n OPERATOR(pg_catalog.-) listed, 0), pg_catalog.statement_timestamp()
	FROM pg_catalog.pg_control_system() AS s,
		pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS a,
		pg_catalog.pg_database AS d
	WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database();
EXCEPTION WHEN OTHERS THEN
	RAISE LOG 'pgsluice: % is not written down in the ledger: % (%)', TG_TAG, SQLERRM, SQLSTATE;
END
$$

----
-- Deletes, of so many changes that nobody has looked at, those that were judged, and marks the others; it returns how many it has looked at. One was judged if its
-- backend was at a statement that a proxy had written down before, or carried out what it had promised there, or was at work for pgsluice. Backend and time tell
-- that for certain: the control login alone writes statements, a process number is one backend's at a time, and what was only passed on (mode observe) comes right
-- behind what tells of it. Of each login and hour no more than the first 10000 are kept, the last of which counts the rest.
CREATE OR REPLACE FUNCTION pgsluice.sort_changes(most integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	home record;
	looked bigint;
	since timestamp with time zone;
BEGIN
	SELECT s.system_identifier, d.oid AS database_oid INTO home
	FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_database AS d
	WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database();

	-- By their place, which no row changes that is locked here: by its key the planner would look for each in all of a table that was never analyzed.
	WITH fresh AS MATERIALIZED (
		SELECT c.ctid AS place, c.xid, c.pid, c.backend_start, c.sent, c.changed,
			'epoch'::timestamp with time zone OPERATOR(pg_catalog.+)
				(c.backend_start::double precision OPERATOR(pg_catalog.*) '1 microsecond'::pg_catalog.interval) AS began
		FROM pgsluice.changes AS c
		WHERE (c.system_identifier OPERATOR(pg_catalog.=) home.system_identifier AND c.database_oid OPERATOR(pg_catalog.=) home.database_oid) IS TRUE
			AND NOT c.out_of_band
		ORDER BY c.id
		LIMIT most
		FOR UPDATE SKIP LOCKED
	), seen AS MATERIALIZED (
		SELECT f.place, EXISTS (
			SELECT FROM (
				-- A backend is at one statement at a time. The bound keeps a session that was at very many from making this slow.
				SELECT k.started, k.finished, k.outcome, k.error
				FROM pgsluice.statements AS k
				WHERE (k.system_identifier OPERATOR(pg_catalog.=) home.system_identifier AND k.database_oid OPERATOR(pg_catalog.=) home.database_oid) IS TRUE
					AND k.pid OPERATOR(pg_catalog.=) f.pid
					AND k.started OPERATOR(pg_catalog.>=) f.began
					AND k.started OPERATOR(pg_catalog.<=) f.changed
				ORDER BY k.started DESC
				LIMIT 100
			) AS s
			WHERE s.outcome OPERATOR(pg_catalog.<>) 'refused'
				-- One that was observed and says more only counts what is left out.
				AND (s.outcome OPERATOR(pg_catalog.<>) 'observed' OR s.error OPERATOR(pg_catalog.=) '')
				AND (s.finished IS NULL OR s.finished OPERATOR(pg_catalog.>=) f.changed
					OR s.outcome OPERATOR(pg_catalog.=) 'observed' AND f.sent OPERATOR(pg_catalog.<=)
						(s.finished OPERATOR(pg_catalog.+) '5 seconds'::pg_catalog.interval)))
		OR EXISTS (
			SELECT FROM pgsluice.promises AS p
			WHERE (p.system_identifier OPERATOR(pg_catalog.=) home.system_identifier AND p.database_oid OPERATOR(pg_catalog.=) home.database_oid) IS TRUE
				AND p.pid OPERATOR(pg_catalog.=) f.pid AND p.backend_start OPERATOR(pg_catalog.=) f.backend_start
				-- It is kept behind the COMMIT of its own transaction.
				AND p.xid OPERATOR(pg_catalog.<) f.xid
				AND f.changed OPERATOR(pg_catalog.<=) LEAST(p.finished, p.not_before, 'infinity'::timestamp with time zone))
		OR EXISTS (
			SELECT FROM pgsluice.promises AS p
			WHERE (p.system_identifier OPERATOR(pg_catalog.=) home.system_identifier AND p.database_oid OPERATOR(pg_catalog.=) home.database_oid) IS TRUE
				AND p.claimed_pid OPERATOR(pg_catalog.=) f.pid AND p.claimed_start OPERATOR(pg_catalog.=) f.backend_start
				AND p.claimed_pid OPERATOR(pg_catalog.<>) 0
				-- Until when it was put off before does not matter any more; to put it off again takes the claim back.
				AND p.started OPERATOR(pg_catalog.<=) f.changed
				AND f.changed OPERATOR(pg_catalog.<=) COALESCE(p.finished, 'infinity'::timestamp with time zone)) AS judged
		FROM fresh AS f
	), known AS (
		DELETE FROM pgsluice.changes AS c
		WHERE c.ctid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT l.place FROM seen AS l WHERE l.judged))
	), unknown AS (
		UPDATE pgsluice.changes AS c
		SET out_of_band = true, session = COALESCE((
			SELECT s.session
			FROM pgsluice.statements AS s
			WHERE (s.system_identifier OPERATOR(pg_catalog.=) home.system_identifier AND s.database_oid OPERATOR(pg_catalog.=) home.database_oid) IS TRUE
				AND s.pid OPERATOR(pg_catalog.=) c.pid
				AND s.started OPERATOR(pg_catalog.>=) ('epoch'::timestamp with time zone OPERATOR(pg_catalog.+)
					(c.backend_start::double precision OPERATOR(pg_catalog.*) '1 microsecond'::pg_catalog.interval))
				AND s.started OPERATOR(pg_catalog.<=) c.changed
			ORDER BY s.started DESC
			LIMIT 1), '')
		WHERE c.ctid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT l.place FROM seen AS l WHERE NOT l.judged))
		RETURNING c.changed
	)
	SELECT (SELECT pg_catalog.count(*) FROM fresh), (SELECT pg_catalog.min(u.changed) FROM unknown AS u)
	INTO looked, since;
	IF since IS NULL THEN
		RETURN looked;
	END IF;

	WITH counted AS MATERIALIZED (
		SELECT c.ctid, c.id, c.login, h.hour, pg_catalog.row_number() OVER (PARTITION BY c.login, h.hour ORDER BY c.id) AS place
		FROM pgsluice.changes AS c
		CROSS JOIN LATERAL (SELECT pg_catalog.date_trunc('hour', pg_catalog.timezone('UTC', c.changed)) AS hour) AS h
		WHERE (c.system_identifier OPERATOR(pg_catalog.=) home.system_identifier AND c.database_oid OPERATOR(pg_catalog.=) home.database_oid) IS TRUE
			AND c.out_of_band
			AND c.changed OPERATOR(pg_catalog.>=) pg_catalog.timezone('UTC', pg_catalog.date_trunc('hour', pg_catalog.timezone('UTC', since)))
	), beyond AS (
		DELETE FROM pgsluice.changes AS c
		WHERE c.ctid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT k.ctid FROM counted AS k WHERE k.place OPERATOR(pg_catalog.>) 10000))
		RETURNING c.login, pg_catalog.date_trunc('hour', pg_catalog.timezone('UTC', c.changed)) AS hour, 1 OPERATOR(pg_catalog.+) c.left_out AS n
	)
	UPDATE pgsluice.changes AS c
	SET left_out = c.left_out OPERATOR(pg_catalog.+) (
		SELECT COALESCE(pg_catalog.sum(b.n), 0)::bigint
		FROM beyond AS b
		WHERE b.login OPERATOR(pg_catalog.=) c.login
			AND b.hour OPERATOR(pg_catalog.=) pg_catalog.date_trunc('hour', pg_catalog.timezone('UTC', c.changed)))
	WHERE c.system_identifier OPERATOR(pg_catalog.=) home.system_identifier
		AND c.database_oid OPERATOR(pg_catalog.=) home.database_oid
		AND EXISTS (SELECT FROM beyond)
		AND c.id OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT k.id FROM counted AS k WHERE k.place OPERATOR(pg_catalog.=) 10000));
	RETURN looked;
END
$$

---- grants

GRANT USAGE ON SCHEMA pgsluice TO PUBLIC
----
GRANT SELECT ON pgsluice.installation, pgsluice.keys, pgsluice.promises, pgsluice.artifacts, pgsluice.jobs, pgsluice.checkpoints TO PUBLIC
----
GRANT EXECUTE ON FUNCTION pgsluice.nonce(),
	pgsluice.promise(bigint, integer, pg_catalog.text, pg_catalog.text, pg_catalog.oid, pg_catalog.text, pg_catalog.text),
	pgsluice.checkpoint(bigint, integer, bigint, pg_catalog.oid, pg_catalog.text, pg_catalog.text, bigint, bigint, boolean, pg_catalog.text)
	TO PUBLIC
----
GRANT SELECT ON pgsluice.statements, pgsluice.revisions, pgsluice.attestations TO PUBLIC
----
GRANT EXECUTE ON FUNCTION pgsluice.attest(bigint, integer, bigint, pg_catalog.text, pg_catalog.text) TO PUBLIC
----
GRANT SELECT ON pgsluice.anchors TO PUBLIC
----
GRANT SELECT ON pgsluice.changes TO PUBLIC

---- control role

CREATE POLICY control ON pgsluice.installation FOR SELECT TO {control} USING (true)
----
CREATE POLICY control ON pgsluice.keys FOR SELECT TO {control} USING (true)
----
CREATE POLICY control ON pgsluice.promises FOR ALL TO {control} USING (true)
----
CREATE POLICY control ON pgsluice.artifacts FOR ALL TO {control} USING (true)
----
CREATE POLICY control ON pgsluice.statements FOR ALL TO {control} USING (true)
----
CREATE POLICY control ON pgsluice.revisions FOR ALL TO {control} USING (true)
----
CREATE POLICY control ON pgsluice.attestations FOR SELECT TO {control} USING (true)
----
GRANT UPDATE (state, attempts, sqlstate, message, released, not_before, claimed_by, claimed_pid, claimed_start, heartbeat,
	started, finished) ON pgsluice.promises TO {control}
----
GRANT INSERT, DELETE ON pgsluice.artifacts TO {control}
----
CREATE POLICY control ON pgsluice.jobs FOR ALL TO {control} USING (true)
----
CREATE POLICY control ON pgsluice.checkpoints FOR SELECT TO {control} USING (true)
----
GRANT INSERT ON pgsluice.jobs TO {control}
----
GRANT UPDATE (content, state, wanted, target_time, nice_ratio, reason, sqlstate, message, runner, pid, backend_start, heartbeat, started,
	finished) ON pgsluice.jobs TO {control}
----
GRANT INSERT, UPDATE ON pgsluice.statements, pgsluice.revisions TO {control}
----
GRANT EXECUTE ON FUNCTION pgsluice.prune(pg_catalog.interval, integer) TO {control}
----
CREATE POLICY control ON pgsluice.anchors FOR ALL TO {control} USING (true)
----
GRANT INSERT ON pgsluice.anchors TO {control}
----
CREATE POLICY control ON pgsluice.changes FOR SELECT TO {control} USING (true)
----
GRANT EXECUTE ON FUNCTION pgsluice.sort_changes(integer) TO {control}
