package revisions

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed sql/version_table.sql
var versionTableSQL string

//go:embed sql/learn.sql
var learnSQL string

//go:embed sql/give.sql
var giveSQL string

//go:embed sql/last_event.sql
var lastEventSQL string

//go:embed sql/overtaken.sql
var overtakenSQL string

//go:embed sql/abandon.sql
var abandonSQL string

//go:embed sql/revisions.sql
var revisionsSQL string

//go:embed sql/statements.sql
var statementsSQL string

//go:embed sql/count_revisions.sql
var countRevisionsSQL string

//go:embed sql/count_unattributed.sql
var countUnattributedSQL string

// LookAt asks the client's own connection which table a name, quoted as in SQL, stands for. ok is false when there is none.
func LookAt(ctx context.Context, client Asker, name string) (table VersionTable, ok bool, err error) {
	rows, err := client.Query(ctx, versionTableSQL, name, "{"+strings.Join(kin(Tools()), ",")+"}")
	if err != nil || len(rows) == 0 {
		return VersionTable{}, false, err
	}
	if err := json.Unmarshal([]byte(rows[0]), &table); err != nil {
		return VersionTable{}, false, fmt.Errorf("cannot read what %s is: %w", name, err)
	}
	return table, true, nil
}

// Learned is what a tool has told of a revision, and what belongs to it.
type Learned struct {
	Event Event
	// Tool and Table are whose version table it was told by.
	Tool  Tool
	Table VersionTable
	Who   Who
	// Wrote is the id of the statement that told it.
	Wrote int64
	// Statements are the ids of the statements that the session has run for it. Those that were rolled back are left out.
	Statements []int64
	// Since is when the session began: of a tool that runs its migrations on other connections, and has none here, what those have run since belongs to it.
	Since time.Time
}

// Learn writes it down and returns the revision's id.
func (l *Ledger) Learn(ctx context.Context, e Learned) (id int64, err error) {
	statements := append([]int64{}, e.Statements...)
	if e.Tool.style == events {
		statements = statements[:0] // what it runs on the connection of its log is about the log
	}
	text, err := asciiJSON(struct {
		Who
		Tool       string    `json:"tool"`
		Table      string    `json:"version_table"`
		Revision   string    `json:"revision"`
		Previous   string    `json:"previous"`
		Key        string    `json:"row_key"`
		Direction  Direction `json:"direction"`
		Stage      Stage     `json:"stage"`
		Unsaid     int       `json:"unsaid"`
		Wrote      int64     `json:"statement_id"`
		Statements []int64   `json:"statements"`
		Beside     bool      `json:"beside"`
		Since      time.Time `json:"since"`
	}{
		e.Who, e.Tool.Name, e.Table.String(), e.Event.Revision, e.Event.Previous, e.Event.Key, e.Event.Direction, e.Event.Stage,
		e.Event.Unsaid, e.Wrote, statements, e.Tool.Beside && e.Event.Direction != Force && len(statements) == 0, e.Since,
	})
	if err != nil {
		return 0, fmt.Errorf("cannot write down a revision: %w", err)
	}
	id, err = queryRow[int64](ctx, l.conn, learnSQL, append(l.home.args(), text)...)
	if err != nil {
		return 0, fmt.Errorf("cannot write down revision %s of %s: %w", e.Event.Revision, e.Tool.Name, err)
	}
	return id, nil
}

// Give gives statements to a revision, whatever they belonged to.
func (l *Ledger) Give(ctx context.Context, revision int64, statements []int64) error {
	ids, err := asciiJSON(append([]int64{}, statements...))
	if err == nil {
		_, err = l.conn.Exec(ctx, giveSQL, append(l.home.args(), strconv.FormatInt(revision, 10), ids)...)
	}
	if err != nil {
		return fmt.Errorf("cannot give statements to revision %d: %w", revision, err)
	}
	return nil
}

// Last is what a tool has last told of a revision by that table; nil for nothing.
func (l *Ledger) Last(ctx context.Context, tool Tool, table VersionTable, revision string) (*Event, error) {
	rows, err := queryRows[Event](ctx, l.conn, lastEventSQL, append(l.home.args(), tool.Name, table.String(), revision)...)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// View is what a transaction above READ COMMITTED sees from its beginning to its end.
type View struct {
	Snapshot string `json:"snapshot"` // as pg_snapshot spells it
	Began    string `json:"began"`    // as JSON spells a time
}

// Overtaken reports whether another session than the one named has changed what the version table says, which the view does not show: nobody can ask the table
// itself, unless as a client whose login may read it, and beside that transaction.
func (l *Ledger) Overtaken(ctx context.Context, table VersionTable, session string, view View) (bool, error) {
	overtaken, err := queryRow[bool](ctx, l.conn, overtakenSQL, append(l.home.args(), table.String(), session, view.Snapshot, view.Began)...)
	if err != nil {
		return false, fmt.Errorf("cannot ask the ledger for newer revisions: %w", err)
	}
	return overtaken, nil
}

// Abandon marks as failed what was begun and never ended, of the session, which has ended, and of all others that are gone.
func (l *Ledger) Abandon(ctx context.Context, session string) error {
	if _, err := l.conn.Exec(ctx, abandonSQL, append(l.home.args(), session)...); err != nil {
		return fmt.Errorf("cannot mark revisions as failed: %w", err)
	}
	return nil
}

// RevisionRow is one time that a revision was applied or taken back, as the ledger has it.
type RevisionRow struct {
	ID int64 `json:"id"`
	Who
	Tool      string    `json:"tool"`
	Table     string    `json:"version_table"`
	Revision  string    `json:"revision"` // "" is not known, or all of them
	Previous  string    `json:"previous"` // what the table had before, where one row stands for all
	Direction Direction `json:"direction"`
	// State is running, applied, failed, or the outcome of the write that told it: open, rolled back, lost.
	State    string     `json:"state"`
	Started  time.Time  `json:"started"`
	Finished *time.Time `json:"finished"`
	Work     struct {
		Statements int      `json:"statements"`
		WaitedMS   int64    `json:"waited_ms"` // for locks
		Verdicts   []string `json:"verdicts"`  // of each statement
		Outcomes   []string `json:"outcomes"`
		// Checksum is over the statements that were run, as they were asked: the same for the same SQL in another database; "" without any.
		Checksum string `json:"checksum"`
	} `json:"work"`
}

// Filter chooses revisions; what is zero chooses all.
type Filter struct {
	ID        int64     `json:"id"`
	Tool      string    `json:"tool"`
	Revision  string    `json:"revision"`
	Direction Direction `json:"direction"`
	State     string    `json:"state"`
	Since     string    `json:"since"` // as timestamptz reads it
	Limit     int       `json:"limit"`
}

// Revisions lists revisions, newest first.
func (l *Ledger) Revisions(ctx context.Context, f Filter) ([]RevisionRow, error) {
	text, err := asciiJSON(f)
	if err != nil {
		return nil, fmt.Errorf("cannot list revisions: %w", err)
	}
	rows, err := queryRows[RevisionRow](ctx, l.conn, revisionsSQL, append(l.home.args(), text)...)
	if err != nil {
		return nil, fmt.Errorf("cannot list revisions: %w", err)
	}
	return rows, nil
}

// RevisionCount is how many revisions of a tool are in a state.
type RevisionCount struct {
	Tool string `json:"tool"`
	// State is what became of them the last time: taken back, or as in RevisionRow.
	State string `json:"state"`
	Count int64  `json:"count"`
}

// CountRevisions counts the revisions by tool and by what became of each the last time.
func (l *Ledger) CountRevisions(ctx context.Context) ([]RevisionCount, error) {
	counts, err := queryRows[RevisionCount](ctx, l.conn, countRevisionsSQL, l.home.args()...)
	if err != nil {
		return nil, fmt.Errorf("cannot count revisions: %w", err)
	}
	return counts, nil
}

// CountUnattributed counts the schema changes that belong to no revision, but those that had no effect.
func (l *Ledger) CountUnattributed(ctx context.Context) (int64, error) {
	count, err := queryRow[int64](ctx, l.conn, countUnattributedSQL, l.home.args()...)
	if err != nil {
		return 0, fmt.Errorf("cannot count what belongs to no revision: %w", err)
	}
	return count, nil
}

// Statements are those of a revision, in order; with 0 the last thousand that belong to none.
func (l *Ledger) Statements(ctx context.Context, revision int64) ([]Statement, error) {
	rows, err := queryRows[Statement](ctx, l.conn, statementsSQL, append(l.home.args(), strconv.FormatInt(revision, 10))...)
	if err != nil {
		return nil, fmt.Errorf("cannot list the statements of revision %d: %w", revision, err)
	}
	return rows, nil
}
