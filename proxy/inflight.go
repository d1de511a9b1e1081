package proxy

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// inFlightPatience is how long the fate of a COMMIT is asked for whose answer was lost; inFlightPause is the time between two questions.
const (
	inFlightPatience = 10 * time.Second
	inFlightPause    = 200 * time.Millisecond
)

// inFlight is a server connection that was lost while the COMMIT of deferred work was under way, and what became of that.
type inFlight struct{ code, message string }

func (e *inFlight) Error() string { return e.message }

// Unwrap makes it the loss that it is.
func (e *inFlight) Unwrap() error { return errServerGone }

// committedInFlight is the loss of a connection whose transaction is committed: the ledger has the work.
func committedInFlight() error {
	return &inFlight{codeCommittedNotFinished,
		"pgsluice: the transaction is COMMITTED, but the connection to the server was lost before its deferred work was done; see pgsluice jobs, and finish with pgsluice jobs resume what does not go on by itself"}
}

// fate finds out what became of a COMMIT that was sent when the server's connection was lost. Any other error is returned as it is. The control
// login asks by the transaction's id, until it has an answer or its patience ends; a server that restarts takes its time.
func (s *session) fate(ctx context.Context, lost error) error {
	if !errors.Is(lost, errServerGone) || errors.Is(lost, errClientGone) || !s.owes() {
		return lost
	}
	status := s.xactStatus(ctx, s.owed.XID)
	s.logger().WarnContext(ctx, "the server's connection was lost during a COMMIT", "xid", s.owed.XID, "status", status)
	switch status {
	case "committed":
		return committedInFlight()
	case "aborted":
		return &inFlight{"40000", // transaction_rollback
			"pgsluice: the connection to the server was lost during COMMIT; the transaction was rolled back, nothing of it is left: run it again"}
	}
	return &inFlight{"08007", // transaction_resolution_unknown
		"pgsluice: the connection to the server was lost during COMMIT; whether the transaction is committed is not known: ask SELECT pg_xact_status('" +
			strconv.FormatUint(s.owed.XID, 10) + "') before you run it again"}
}

// xactStatus is what the server says of a transaction that has ended: committed or aborted, "" for no answer.
func (s *session) xactStatus(ctx context.Context, xid uint64) string {
	ctx, enough := context.WithTimeout(context.WithoutCancel(ctx), inFlightPatience)
	defer enough()
	for {
		s.leave()
		if conn := s.open(ctx).conn; conn != nil {
			rows, err := conn.Query(ctx, "SELECT pg_catalog.pg_xact_status($1::pg_catalog.xid8)", strconv.FormatUint(xid, 10))
			if err == nil && len(rows) == 1 && (rows[0] == "committed" || rows[0] == "aborted") {
				return rows[0]
			}
		}
		pause := time.NewTimer(inFlightPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return ""
		case <-pause.C:
		}
	}
}
