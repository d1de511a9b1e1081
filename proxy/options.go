package proxy

import (
	"context"
	"crypto/rand"
	"log/slog"
	"regexp"
	"time"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/revisions"
)

// Mode is how much a session does.
type Mode int

const (
	// Enforce judges, rewrites, defers and refuses.
	Enforce Mode = iota
	// Observe judges and records, and changes nothing that a client could notice.
	Observe
	// Transparent forwards and understands nothing: the emergency door.
	Transparent
)

// SessionOptions is what sessions decide by and tell to. It is shared by all sessions and not changed after New.
type SessionOptions struct {
	Mode   Mode
	Policy *policy.Set
	// InspectLimit is the largest Query or Parse, in bytes, that is read whole; 0 means 1 MiB.
	InspectLimit int
	// Deferred allows work to be deferred behind COMMIT where a ledger is installed.
	Deferred bool
	// DeferWrites has bulk writes in a transaction deferred, in place of refused, without a comment that asks for it.
	DeferWrites bool
	// WarnOnFailure answers a COMMIT whose promise has failed for good with a warning in place of an error.
	WarnOnFailure bool
	// BlockOnFailed refuses schema changes while a promise of the database has failed for good.
	BlockOnFailed bool
	// Lock is how plans take strong locks and write in batches.
	Lock run.Options
	// BulkRows is how many rows make a write a bulk write; 0 means 10,000.
	BulkRows int64
	// Throttle is when bulk writes wait.
	Throttle run.ThrottleOptions
	// Control opens the proxy's own connections; nil when there is no control login.
	Control Control
	// Audit is told of every judged statement; nil for nobody. AuditRequired refuses schema changes that cannot be recorded.
	Audit         *revisions.Audit
	AuditRequired bool
	// RedactKey keys the hashes that stand for text which must not be recorded.
	RedactKey []byte
	// Name is this process's own name in the ledger: unique, never empty.
	Name string
	// Meter counts; nil for nobody.
	Meter Meter
	Log   *slog.Logger
	// shapes are the writes that pass unread.
	shapes *shapes
	// quota is what each login may have written into the ledger.
	quota *quota
	// Tools are the migration tools whose revisions are learned; nil means revisions.Tools. VersionTables finds the names of tables that no tool
	// would give its own, in a text; nil for none.
	Tools         []revisions.Tool
	VersionTables *regexp.Regexp
	// Exclusive says what a migration does while another one runs in the same database.
	Exclusive Exclusive
}

// Exclusive is what a migration does while another one runs in the same database.
type Exclusive int

const (
	// Together lets them run side by side.
	Together Exclusive = iota
	// OneWaits has the second wait until the first has ended.
	OneWaits
	// OneRefused refuses the second, and says who is running.
	OneRefused
)

// Control opens connections of the proxy's own login. It may be called concurrently.
type Control interface {
	// Conn returns a connection to the named database; release gives it back and must be called.
	Conn(ctx context.Context, database string) (conn run.Conn, release func(), err error)
	// CloseDatabase closes the connections to a database that is about to be dropped or renamed.
	CloseDatabase(ctx context.Context, database string) error
}

// Meter counts what sessions do. Its methods may be called from any goroutine.
type Meter interface {
	// StatementParsed counts a text that was parsed, and how long that took.
	StatementParsed(took time.Duration)
	// StatementJudged counts a verdict about a statement with a command tag, "" for one that could not be read, and the rule that decided, "" for
	// none; took is what the question for facts and the verdict took together.
	StatementJudged(tag, verdict, rule string, took time.Duration)
	// Refused counts a statement that was not let through; reason is the name of a rule, or no-safe-form.
	Refused(reason string)
	// ConnectionRefused counts a client that was sent away with that SQLSTATE before it had a session.
	ConnectionRefused(sqlState string)
	// AuditFailed counts a line that could not be written to the audit trail.
	AuditFailed()
	run.Meter
}

// DefaultInspectLimit is the default of SessionOptions.InspectLimit, in bytes.
const DefaultInspectLimit = 1 << 20

// DefaultBulkRows is the default of SessionOptions.BulkRows.
const DefaultBulkRows = 10_000

// complete fills in the defaults.
func (o SessionOptions) complete(log *slog.Logger) SessionOptions {
	if o.InspectLimit == 0 {
		o.InspectLimit = DefaultInspectLimit
	}
	if o.BulkRows == 0 {
		o.BulkRows = DefaultBulkRows
	}
	o.shapes = newShapes()
	if o.quota == nil {
		o.quota = newQuota()
	}
	if o.Meter == nil {
		o.Meter = noMeter{}
	}
	if o.Log == nil {
		o.Log = log
	}
	if o.Tools == nil {
		o.Tools = revisions.Tools()
	}
	if o.Name == "" {
		o.Name = rand.Text()
	}
	if o.Lock.Name == "" {
		o.Lock.Name = o.Name
	}
	if o.RedactKey == nil {
		o.RedactKey = []byte(rand.Text())
	}
	return o
}

type noMeter struct{}

func (noMeter) StatementParsed(time.Duration)                         {}
func (noMeter) StatementJudged(string, string, string, time.Duration) {}
func (noMeter) Refused(string)                                        {}
func (noMeter) ConnectionRefused(string)                              {}
func (noMeter) AuditFailed()                                          {}

func (noMeter) LockTried(int, time.Duration, bool) {}
func (noMeter) Blocked(string)                     {}
func (noMeter) Building(int, string, float64)      {}
func (noMeter) StepRun(bool)                       {}
func (noMeter) BatchDone(int, time.Duration)       {}
func (noMeter) Throttled(string, time.Duration)    {}
func (noMeter) JobEnded(string)                    {}
