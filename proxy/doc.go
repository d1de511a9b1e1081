// Package proxy carries bytes between Postgres clients and their server, and is the only package that holds the
// sockets of a session. One client connection is one server connection for its whole life.
//
// A connection goes through these files, in this order:
//
//	listener ── accept ──> Server (server.go)       drain; limits on who has not logged in yet (logins.go)
//	                          │
//	                      handshake (handshake.go)  SSLRequest, GSSENCRequest, direct TLS (tls.go), StartupMessage (startup.go)
//	                          │      └───────────── CancelRequest: forwarded as it came, then the end (cancel.go)
//	                          │
//	                       upstream (upstream.go)   a server is found, TLS to it, the same StartupMessage
//	                          │
//	                         login (auth.go)        'R' and 'p' pass unread until the first ReadyForQuery
//	                          │
//	                         link (link.go)         two legs (leg.go): a socket each, and what was read from it and not yet used
//	                          │
//	                          ├── replication=true: piped, never understood
//	                          └── everything else: the session (session.go)
//
// The password never stops here: the server authenticates the real user. Encryption does stop here, so the offer of
// SCRAM-SHA-256-PLUS, which ties a login to one TLS connection, is taken out unless this proxy shows the
// server's own certificate.
//
// Every goroutine belongs to a function that waits for it: those of a login and of a session to Serve, all others to the one that started them. A
// connection has one context: when it is done, its sockets (sockets.go) are closed, and everything that reads from them ends.
package proxy
