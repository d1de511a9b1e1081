package revisions

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed sql/begin_statement.sql
var beginStatementSQL string

//go:embed sql/end_statement.sql
var endStatementSQL string

//go:embed sql/settle.sql
var settleSQL string

// The outcomes of a statement.
const (
	OutcomeBegun      = "begun"       // it was about to run
	OutcomeOpen       = "open"        // it ran; its transaction has not ended, as far as the ledger knows
	OutcomeCommitted  = "committed"   //
	OutcomeRolledBack = "rolled back" // by ROLLBACK, an error, or ROLLBACK TO SAVEPOINT
	OutcomeFailed     = "failed"
	OutcomeRefused    = "refused"
	OutcomeLost       = "lost"     // the connection broke before the answer
	OutcomeObserved   = "observed" // mode observe: it was passed on together with others
)

// Who is a session as the ledger names it.
type Who struct {
	Session     string `json:"session"` // the proxy's own name of it
	PID         int32  `json:"pid"`
	Login       string `json:"login"`
	Role        string `json:"role"` // what SET ROLE made of the login; "" if it is not known
	Client      string `json:"client"`
	Application string `json:"application_name"`
}

// StatementLock is a lock that a statement takes and that others wait for.
type StatementLock struct {
	Table string `json:"table"`
	Mode  string `json:"mode"` // as pg_locks names it
}

// Statement is a statement that was judged. No text of it holds a secret.
type Statement struct {
	ID int64 `json:"id"` // given by Begin
	Who
	// Revision is the id of its revision, 0 for none; see RevisionRow.
	Revision int64 `json:"revision_id"`
	// Tool is the tool whose version table it writes to; "" for every other. Own is true for what is done to tables that tools keep for themselves.
	Tool        string          `json:"tool"`
	Own         bool            `json:"own"`
	Tag         string          `json:"tag"`
	Asked       string          `json:"asked"`
	Digest      string          `json:"digest"`
	Fingerprint string          `json:"fingerprint"`
	Verdict     string          `json:"verdict"`
	Rules       []string        `json:"rules"`
	Overrides   []Override      `json:"overrides"`
	Ran         []string        `json:"ran"`
	Locks       []StatementLock `json:"locks"`
	Tries       int             `json:"tries"`
	WaitedMS    int64           `json:"waited_ms"`
	Rows        *int64          `json:"rows"`
	Promise     int64           `json:"promise_id"`
	SQLState    string          `json:"sqlstate"`
	Error       string          `json:"error"`
	Outcome     string          `json:"outcome"`
	// XID is the transaction, 0 if it is not known; Attested says that it carries a row of attestations for the statement.
	XID      uint64 `json:"xid,string"`
	Attested bool   `json:"attested"`
	// Late is how long ago it began, in microseconds, when Begin is only told behind it.
	Late     int64      `json:"late_us,omitempty"`
	Started  time.Time  `json:"started"`
	Finished *time.Time `json:"finished"`
}

// Begin writes down that the statement is about to run, and returns its id. It does not wait for the disk: what commits later does.
func (l *Ledger) Begin(ctx context.Context, s Statement) (id int64, err error) {
	text, err := asciiJSON(s)
	if err != nil {
		return 0, fmt.Errorf("cannot begin a statement in the ledger: %w", err)
	}
	id, err = queryRow[int64](ctx, l.conn, beginStatementSQL, append(l.home.args(), text)...)
	if err != nil {
		return 0, fmt.Errorf("cannot begin a statement in the ledger: %w", err)
	}
	return id, nil
}

// End writes down what became of the statement.
func (l *Ledger) End(ctx context.Context, s Statement) error {
	text, err := asciiJSON(s)
	if err != nil {
		return fmt.Errorf("cannot end statement %d in the ledger: %w", s.ID, err)
	}
	// A Query, because one that is asked again stays prepared.
	if _, err := l.conn.Query(ctx, endStatementSQL, append(l.home.args(), text, strconv.FormatInt(s.ID, 10))...); err != nil {
		return fmt.Errorf("cannot end statement %d in the ledger: %w", s.ID, err)
	}
	return nil
}

// Settle gives every statement whose transaction has ended its outcome, as the server tells it: what a transaction carries an attestation for is
// committed if the attestation is there; of the others pg_xact_status decides. Of a session that is gone, what was begun and has no
// transaction is lost. It returns how many statements it has settled.
func (l *Ledger) Settle(ctx context.Context) (int, error) {
	settled, _, err := l.settle(ctx, nil)
	return settled, err
}

// Outcomes is Settle, and tells how the transactions of the named statements have ended, whoever has settled them. What has not ended, or is lost, is missing.
func (l *Ledger) Outcomes(ctx context.Context, statements []int64) (map[int64]string, error) {
	_, outcomes, err := l.settle(ctx, statements)
	return outcomes, err
}

func (l *Ledger) settle(ctx context.Context, statements []int64) (settled int, outcomes map[int64]string, err error) {
	ids := make([]string, len(statements))
	for i, id := range statements {
		ids[i] = strconv.FormatInt(id, 10)
	}
	type told struct {
		ID      int64  `json:"id"`
		Outcome string `json:"outcome"`
		Settled bool   `json:"settled"`
	}
	rows, err := queryRows[told](ctx, l.conn, settleSQL, append(l.home.args(), "["+strings.Join(ids, ",")+"]")...)
	if err != nil {
		return 0, nil, fmt.Errorf("cannot settle the statements of the ledger: %w", err)
	}
	outcomes = map[int64]string{}
	for _, row := range rows {
		if row.Settled {
			settled++
		}
		if row.Outcome != OutcomeLost {
			outcomes[row.ID] = row.Outcome
		}
	}
	return settled, outcomes, nil
}
