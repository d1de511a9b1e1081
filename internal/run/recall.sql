-- Cancels what the backend $1 does, if it still waits for the lock of a relation.
SELECT pg_catalog.pg_cancel_backend($1::pg_catalog.int4)
WHERE EXISTS (SELECT FROM pg_catalog.pg_locks AS l WHERE l.pid OPERATOR(pg_catalog.=) $1::pg_catalog.int4
	AND NOT l.granted AND l.locktype OPERATOR(pg_catalog.=) 'relation')
