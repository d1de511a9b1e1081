// Package revisions remembers. It owns the schema pgsluice in the application's database (the ledger), and the audit
// trail in a file.
//
// A statement that must not run inside the client's transaction is promised: a row of pgsluice.promises is written in
// that same transaction, so that the promise and the client's own changes commit or vanish together. After the COMMIT
// somebody keeps the promise:
//
//	client's connection            control connection
//	───────────────────            ──────────────────
//	BEGIN
//	CREATE INDEX …   → Record                               a signed row, in the client's transaction
//	COMMIT
//	                               Pending(nonce)           which promises of this transaction exist
//	                               Start(id)                pending → running, signature checked once more
//	(the steps run)
//	                               Finish(id) or Postpone   running → done, failed or void; or pending again
//
// Which transitions are allowed is decided by the WHERE of one UPDATE, never by what a proxy remembers. A promise
// belongs to the backend that wrote it while that backend lives; after that, to the one who gets it by Claim and keeps
// up its Heartbeat.
//
// # Trust
//
// Whoever can log in to the database is a possible attacker. The functions of the ledger that everyone may call write
// only what carries a signature: an HMAC-SHA256 under a key that the control login alone can read, over the identity of
// the cluster and database, a nonce that is used up by the call, the session (pid, start of the backend, login, role),
// the transaction, and the promise. The owner of the ledger, pgsluice_owner, can do nothing else in the server, so a
// hole in one of its functions is a hole in the ledger only. The control login is often powerful, therefore it never
// calls a function of the ledger, and touches its tables only after it has asked the catalog that they are what install
// made and that no code hangs on them.
package revisions
