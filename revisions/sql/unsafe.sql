-- One row for each reason why a powerful login must not touch the schema pgsluice: somebody else's object, or somebody
-- else's code that would run. Reads only the catalog. $1 stands for 'install' or 'open'.
WITH owner AS (
	SELECT * FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) 'pgsluice_owner'
), me AS (
	SELECT * FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER
), namespace AS (
	SELECT * FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.=) 'pgsluice'
), member AS MATERIALIZED (
	SELECT d.classid, d.objid
	FROM namespace AS n
	JOIN pg_catalog.pg_depend AS d ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
		AND d.refobjid OPERATOR(pg_catalog.=) n.oid
), relation AS MATERIALIZED (
	-- pg_class has no index for what is in a schema. An index depends on its table alone, the relation of a composite type on the type. Each is
	-- looked up by itself (OFFSET): the planner does not know how few they are.
	SELECT r.*
	FROM (
		SELECT m.objid AS oid FROM member AS m WHERE m.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
		UNION
		SELECT i.oid
		FROM member AS m
		CROSS JOIN LATERAL (
			SELECT i.indexrelid AS oid FROM pg_catalog.pg_index AS i WHERE i.indrelid OPERATOR(pg_catalog.=) m.objid OFFSET 0) AS i
		WHERE m.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
		UNION
		SELECT t.oid
		FROM member AS m
		CROSS JOIN LATERAL (
			SELECT t.typrelid AS oid FROM pg_catalog.pg_type AS t WHERE t.oid OPERATOR(pg_catalog.=) m.objid OFFSET 0) AS t
		WHERE m.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass
	) AS c
	CROSS JOIN LATERAL (
		SELECT r.oid, r.relkind FROM pg_catalog.pg_class AS r WHERE r.oid OPERATOR(pg_catalog.=) c.oid OFFSET 0) AS r
)

SELECT 'role pgsluice_owner has rights of its own: ALTER ROLE pgsluice_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS'
FROM owner AS o
WHERE o.rolcanlogin OR o.rolsuper OR o.rolcreatedb OR o.rolcreaterole OR o.rolreplication OR o.rolbypassrls

UNION ALL
SELECT pg_catalog.format('role pgsluice_owner is a member of %1$I: REVOKE %1$I FROM pgsluice_owner', g.rolname)
FROM owner AS o
JOIN pg_catalog.pg_auth_members AS m ON m.member OPERATOR(pg_catalog.=) o.oid
JOIN pg_catalog.pg_roles AS g ON g.oid OPERATOR(pg_catalog.=) m.roleid
WHERE g.rolname OPERATOR(pg_catalog.<>) 'pg_read_all_stats'

-- A member can put a trigger on a table of the ledger, which then runs as whoever writes to it. Only the role that
-- installed without being a superuser is one by necessity; it gains nothing over itself.
UNION ALL
SELECT pg_catalog.format('%1$I is a member of pgsluice_owner: REVOKE pgsluice_owner FROM %1$I GRANTED BY %2$I',
	r.rolname, pg_catalog.pg_get_userbyid(m.grantor))
FROM owner AS o
JOIN pg_catalog.pg_auth_members AS m ON m.roleid OPERATOR(pg_catalog.=) o.oid
JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) m.member
CROSS JOIN me
WHERE (me.rolsuper OR $1 OPERATOR(pg_catalog.=) 'install'::pg_catalog.text)
	AND NOT r.rolsuper
	AND r.oid OPERATOR(pg_catalog.<>) me.oid

UNION ALL
SELECT pg_catalog.format(
	'schema pgsluice belongs to %I, not to pgsluice_owner: look at what it holds, then rename or drop it',
	pg_catalog.pg_get_userbyid(n.nspowner))
FROM namespace AS n
WHERE NOT EXISTS (SELECT FROM owner AS o WHERE o.oid OPERATOR(pg_catalog.=) n.nspowner)

-- The ownership of any kind of object is in pg_shdepend (superusers that initdb made are not, and are not our owner).
UNION ALL
SELECT pg_catalog.format('%s %s does not belong to pgsluice_owner: look at it, then drop or move it', i.type, i.identity)
FROM member AS d
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) AS i
WHERE NOT EXISTS (
	SELECT FROM pg_catalog.pg_shdepend AS s
	JOIN owner AS o ON s.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
		AND s.refobjid OPERATOR(pg_catalog.=) o.oid
	JOIN pg_catalog.pg_database AS b ON b.oid OPERATOR(pg_catalog.=) s.dbid
		AND b.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
	WHERE s.classid OPERATOR(pg_catalog.=) d.classid
		AND s.objid OPERATOR(pg_catalog.=) d.objid
		AND s.deptype OPERATOR(pg_catalog.=) 'o')

UNION ALL
SELECT pg_catalog.format('%s is neither table, index nor sequence (relkind %s): drop it', c.oid::pg_catalog.regclass, c.relkind)
FROM relation AS c
WHERE c.relkind OPERATOR(pg_catalog.<>) ALL (ARRAY['r', 'i', 'S']::"char"[])

UNION ALL
SELECT pg_catalog.format('trigger %I on %s runs code of somebody else: drop it', t.tgname, c.oid::pg_catalog.regclass)
FROM relation AS c
CROSS JOIN LATERAL (
	SELECT t.tgname, t.tgisinternal FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid OPERATOR(pg_catalog.=) c.oid OFFSET 0) AS t
WHERE NOT t.tgisinternal

UNION ALL
SELECT pg_catalog.format('rule %I on %s runs code of somebody else: drop it', w.rulename, c.oid::pg_catalog.regclass)
FROM relation AS c
CROSS JOIN LATERAL (
	SELECT w.rulename FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class OPERATOR(pg_catalog.=) c.oid OFFSET 0) AS w

-- Objects with an OID below FirstNormalObjectId, 16384, are the server's own.
UNION ALL
SELECT pg_catalog.format('%s of the ledger depends on %s: drop or alter it',
	pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid), pg_catalog.pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid))
FROM (
	SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS class, c.oid FROM relation AS c
	UNION ALL
	SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, a.oid
	FROM relation AS c
	CROSS JOIN LATERAL (SELECT a.oid FROM pg_catalog.pg_attrdef AS a WHERE a.adrelid OPERATOR(pg_catalog.=) c.oid OFFSET 0) AS a
	UNION ALL
	SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid
	FROM relation AS c
	CROSS JOIN LATERAL (SELECT k.oid FROM pg_catalog.pg_constraint AS k WHERE k.conrelid OPERATOR(pg_catalog.=) c.oid OFFSET 0) AS k
	UNION ALL
	SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass, p.oid
	FROM relation AS c
	CROSS JOIN LATERAL (SELECT p.oid FROM pg_catalog.pg_policy AS p WHERE p.polrelid OPERATOR(pg_catalog.=) c.oid OFFSET 0) AS p
) AS part
CROSS JOIN LATERAL (
	SELECT d.* FROM pg_catalog.pg_depend AS d
	WHERE d.classid OPERATOR(pg_catalog.=) part.class AND d.objid OPERATOR(pg_catalog.=) part.oid OFFSET 0) AS d
WHERE d.refobjid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
	AND d.refclassid OPERATOR(pg_catalog.=) ANY (ARRAY[
		'pg_catalog.pg_proc', 'pg_catalog.pg_operator', 'pg_catalog.pg_type', 'pg_catalog.pg_opclass', 'pg_catalog.pg_opfamily',
		'pg_catalog.pg_collation', 'pg_catalog.pg_cast', 'pg_catalog.pg_language', 'pg_catalog.pg_am']::pg_catalog.regclass[])
