-- Writes down what a tool has told of a revision, and which statements belong to it; returns its id. $3 is {"tool", "version_table", "revision",
-- "previous", "row_key", "direction", "stage", "unsaid", "statement_id", "statements": [ids], "beside", "since", and the session}.
WITH given AS (
	SELECT j,
		j OPERATOR(pg_catalog.->>) 'tool' AS tool, j OPERATOR(pg_catalog.->>) 'version_table' AS version_table,
		j OPERATOR(pg_catalog.->>) 'revision' AS revision, j OPERATOR(pg_catalog.->>) 'row_key' AS row_key,
		j OPERATOR(pg_catalog.->>) 'stage' AS stage, j OPERATOR(pg_catalog.->>) 'direction' AS direction,
		j OPERATOR(pg_catalog.->>) 'session' AS session, j OPERATOR(pg_catalog.->>) 'login' AS login, j OPERATOR(pg_catalog.->>) 'client' AS client,
		(j OPERATOR(pg_catalog.->>) 'statement_id')::bigint AS statement_id
	FROM (SELECT $3::pg_catalog.json AS j) AS one
), unsaid AS (
	UPDATE pgsluice.revisions AS r
	SET state = 'unsaid'
	FROM given AS g
	WHERE r.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND r.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND r.id OPERATOR(pg_catalog.=) ANY (ARRAY(
			SELECT b.id FROM pgsluice.revisions AS b
			WHERE b.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND b.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
				AND b.session OPERATOR(pg_catalog.=) g.session AND b.version_table OPERATOR(pg_catalog.=) g.version_table
			ORDER BY b.id DESC
			LIMIT (g.j OPERATOR(pg_catalog.->>) 'unsaid')::bigint))
	RETURNING r.id
), begun AS (
	UPDATE pgsluice.revisions AS r
	SET state = CASE WHEN g.stage OPERATOR(pg_catalog.=) 'failed' THEN 'failed' ELSE 'told' END, statement_id = g.statement_id, finished = pg_catalog.clock_timestamp()
	FROM given AS g
	WHERE g.stage OPERATOR(pg_catalog.=) ANY (ARRAY['ended', 'failed'])
		AND r.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND r.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND r.id OPERATOR(pg_catalog.=) (
			SELECT pg_catalog.max(b.id) FROM pgsluice.revisions AS b
			WHERE b.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND b.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
				AND b.tool OPERATOR(pg_catalog.=) g.tool AND b.version_table OPERATOR(pg_catalog.=) g.version_table
				AND b.state OPERATOR(pg_catalog.=) ANY (ARRAY['running', 'failed']) AND b.finished IS NULL
				AND CASE WHEN g.revision OPERATOR(pg_catalog.=) '' THEN b.row_key OPERATOR(pg_catalog.=) g.row_key
					ELSE b.revision OPERATOR(pg_catalog.=) g.revision END)
	RETURNING r.id
), made AS (
	INSERT INTO pgsluice.revisions (system_identifier, database_oid, tool, version_table, revision, previous, row_key, direction, state,
		statement_id, session, pid, login, client, application, started, finished)
	SELECT $1::bigint, $2::pg_catalog.oid, g.tool, g.version_table,
		CASE WHEN g.revision OPERATOR(pg_catalog.<>) '' OR g.row_key OPERATOR(pg_catalog.=) '' THEN g.revision ELSE COALESCE((
			SELECT b.revision FROM pgsluice.revisions AS b
			WHERE b.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND b.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
				AND b.tool OPERATOR(pg_catalog.=) g.tool AND b.version_table OPERATOR(pg_catalog.=) g.version_table
				AND b.row_key OPERATOR(pg_catalog.=) g.row_key
			ORDER BY b.id DESC LIMIT 1), '') END,
		g.j OPERATOR(pg_catalog.->>) 'previous', g.row_key, g.direction,
		CASE WHEN g.stage OPERATOR(pg_catalog.=) 'begun' THEN 'running' WHEN g.stage OPERATOR(pg_catalog.=) 'failed' THEN 'failed' ELSE 'told' END,
		g.statement_id, g.session, (g.j OPERATOR(pg_catalog.->>) 'pid')::integer, g.login, g.client, g.j OPERATOR(pg_catalog.->>) 'application_name',
		COALESCE((
			SELECT pg_catalog.min(s.started) FROM pgsluice.statements AS s
			WHERE s.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND s.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
				AND s.id OPERATOR(pg_catalog.=) ANY (ARRAY(
					SELECT i::bigint FROM pg_catalog.json_array_elements_text(g.j OPERATOR(pg_catalog.->) 'statements') AS i))), pg_catalog.clock_timestamp()),
		CASE WHEN g.stage OPERATOR(pg_catalog.<>) 'begun' THEN pg_catalog.clock_timestamp() END
	FROM given AS g
	WHERE NOT EXISTS (SELECT FROM begun)
	RETURNING id
), told AS (
	SELECT id FROM begun UNION ALL SELECT id FROM made
), belongs AS (
	UPDATE pgsluice.statements AS s
	SET revision_id = told.id
	FROM told, given AS g
	WHERE s.system_identifier OPERATOR(pg_catalog.=) $1::bigint AND s.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
		AND NOT s.own AND s.outcome OPERATOR(pg_catalog.<>) 'rolled back'
		AND (s.xid IS NULL OR s.outcome OPERATOR(pg_catalog.<>) 'open'
			OR pg_catalog.pg_xact_status(s.xid) OPERATOR(pg_catalog.<>) 'aborted')
		AND (s.revision_id IS NULL AND s.id OPERATOR(pg_catalog.=) ANY (ARRAY(
				SELECT i::bigint FROM pg_catalog.json_array_elements_text(g.j OPERATOR(pg_catalog.->) 'statements') AS i))
			OR s.revision_id OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT u.id FROM unsaid AS u))
			-- The tool runs its migrations on another connection of the same login and host.
			OR (g.j OPERATOR(pg_catalog.->>) 'beside')::boolean AND s.revision_id IS NULL AND s.tool OPERATOR(pg_catalog.=) ''
				AND s.login OPERATOR(pg_catalog.=) g.login AND s.client OPERATOR(pg_catalog.=) g.client
				AND s.session OPERATOR(pg_catalog.<>) g.session
				AND s.started OPERATOR(pg_catalog.>=) (g.j OPERATOR(pg_catalog.->>) 'since')::timestamp with time zone)
	RETURNING s.id
)
SELECT told.id FROM told WHERE (SELECT pg_catalog.count(*) FROM belongs) OPERATOR(pg_catalog.>=) 0
