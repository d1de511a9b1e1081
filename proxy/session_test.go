package proxy

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
	"github.com/pgsluice/pgsluice/revisions"
)

// TestSession runs the cases of testdata/session: what a client sends, what it is answered, and what is in the database
// afterwards. Every table that is not empty counts as large there.
//
//	configure        puts other options into force, of which each line says one: "mode observe", "exclusive wait", "tool NAME TABLE COLUMN", "rule NAME ACTION", "defer" (bulk writes in a transaction, unasked), "override LOGIN" (may
//	                 override a block), "exempt NAME TABLE REVISION REASON" ("-" for any table or revision); what is not said is the default
//	connect          opens conn=NAME with the startup parameters "name value" of its lines
//	direct           statements straight to the server, by a superuser: the rows that they return
//	simple           one simple Query through the proxy, as it stands
//	extended         each line prepared and executed, with a Sync of its own
//	pipeline         all lines executed before one Sync
//	bind             the statement of the first line with the parameters of the others; one that begins with \x is sent in binary
//	revisions        what the ledger has had since it was last asked: each revision with its statements, and those of none
//	start            one simple Query that has to wait: the case goes on when the client is told so; "finish" is its answer
//	hear             waits until the client is told once more for whom it waits
//	hangup           closes the connections that it names, and waits until their sessions have ended
//	later            lets so much time pass for whose turn it is, which stands still otherwise
//	audit            the results and decisions that the audit trail has had since it was last asked
//	trail            all lines that it has had since, as they tell of each other
//
// A file with "no-ledger" in its name runs without a ledger, one with "observe" in that mode, one with "judged" under all rules: there the login may
// override what they refuse, and a table is renamed behind a view.
//
// What holds from some major on has major=N, what holds up to the one before N has before=N.
// conn=NAME chooses a connection through the proxy, "a" by default; it stays open for the file. longer=N puts a comment of N characters behind the text.
//
// A file that tells how large a table is runs alone: what transactions of other databases may still see is not removed from its pages.
func TestSession(t *testing.T) {
	datadriven.Walk(t, "testdata/session", func(t *testing.T, path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !sizes.Match(text) {
			t.Parallel()
		}
		mode := Enforce
		if strings.Contains(path, "observe") {
			mode = Observe
		}
		newStage(t, mode, !strings.Contains(path, "no-ledger"), strings.Contains(path, "judged")).play(t, path)
	})
}

// play is the run of a case.
func (w *stage) play(t *testing.T, path string) {
	datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
		major, before := 0, 1000
		d.MaybeScanArgs(t, "major", &major)
		d.MaybeScanArgs(t, "before", &before)
		if version := pgtest.Server(t).Version(); version < major || version >= before {
			return d.Expected
		}
		return w.command(t, d)
	})
}

// stage is a database with a proxy in front of it.
type stage struct {
	dsn     string
	proxied string
	server  *Server
	conns   map[string]*pgconn.PgConn
	// dead keeps the driver from sending a cancel when its connection breaks.
	dead    atomic.Bool
	mu      sync.Mutex
	notices []string
	trail   bytes.Buffer
	// heard and read are the newest statement and revision of the ledger that a case has shown.
	heard, read int64
	// waiting is the answer of what was started, and noticed hears that a client was told to wait.
	waiting chan string
	noticed chan struct{}
	// turnIdle is how long a client that has the turn may really do nothing.
	turnIdle time.Duration
	// strongQueue is how long a control connection is waited for where others may be waiting.
	strongQueue time.Duration
	// over are the backends whose sessions have ended.
	over chan uint32
	// behind is where the proxy finds its server, zero for at the server itself.
	behind Address
	// passed is the time, in nanoseconds, that has passed by "later".
	passed atomic.Int64
}

// roundTheProxy is what connections that go round the proxy call themselves.
const roundTheProxy = "round_the_proxy"

// sizes finds what depends on how many pages a table has.
var sizes = regexp.MustCompile(`about [\d,]+ rows|\d (kB|MB)`)

// pids finds what is different each time. The ids of jobs and promises have gaps, as many as there are batches.
var (
	pids  = regexp.MustCompile(`pid \d+`)
	ids   = regexp.MustCompile(`(job|promise|jobs resume) \d+`)
	asFar = regexp.MustCompile(`of \d+-\d+-\d+ \d+:\d+:\d+: \d+ rows in \d+ batch(es)?`)
)

// steadily is a text without what is different each time.
func steadily(text string) string {
	return asFar.ReplaceAllString(ids.ReplaceAllString(pids.ReplaceAllString(text, "pid N"), "$1 N"), "of then: N rows in N batches")
}

func newStage(t *testing.T, mode Mode, ledger, judged bool) *stage {
	w := &stage{dsn: pgtest.Database(t), conns: map[string]*pgconn.PgConn{}, noticed: make(chan struct{}, 100), over: make(chan uint32, 1000), turnIdle: time.Hour, strongQueue: deskPatience}
	pool, err := control.New(control.Options{DSN: w.dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if ledger {
		conn, err := control.Connect(t.Context(), w.dsn, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := revisions.Install(t.Context(), conn, revisions.InstallOptions{}); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	config, err := pgconn.ParseConfig(w.dsn)
	if err != nil {
		t.Fatal(err)
	}
	options := sessionOptions(t, mode)
	if judged {
		options.Policy = everyRule(t, config.User)
	}
	options.Audit = revisions.NewAudit(w)
	options.Deferred, options.BlockOnFailed, options.Control = true, true, lent{pool}
	w.serve(t, options, config)
	t.Cleanup(func() {
		for _, conn := range w.conns {
			_ = conn.Close(context.Background())
		}
	})
	return w
}

// serve starts the proxy.
func (w *stage) serve(t *testing.T, options SessionOptions, config *pgconn.Config) {
	upstream := Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}
	if w.behind != (Address{}) {
		upstream = Upstream{Addresses: []Address{w.behind}, SSLMode: SSLDisable}
	}
	f := start(t, Options{Upstream: upstream}, nil)
	options.Log = f.Server.log
	f.following.Store(&options)
	began := time.Now()
	f.run = func(ctx context.Context, l *link) error {
		s := newFollower(&f.following, l)
		s.now = func() time.Time { return began.Add(time.Duration(w.passed.Load())) }
		s.turnIdle, s.strongQueue = w.turnIdle, w.strongQueue
		defer func() {
			select {
			case w.over <- l.pid:
			default: // more than any case waits for
			}
		}()
		return s.run(ctx)
	}
	w.server = f.Server
	w.proxied = fmt.Sprintf("host=127.0.0.1 port=%d user=%s database=%s sslmode=disable", f.tcp.Port, config.User, config.Database)
}

// another is a second proxy in front of the same database, with connections and a time of its own.
func (w *stage) another(t *testing.T) *stage {
	t.Helper()
	config, err := pgconn.ParseConfig(w.dsn)
	if err != nil {
		t.Fatal(err)
	}
	other := &stage{dsn: w.dsn, conns: map[string]*pgconn.PgConn{}, noticed: make(chan struct{}, 100), turnIdle: w.turnIdle, strongQueue: w.strongQueue}
	other.serve(t, *w.server.following.Load(), config)
	t.Cleanup(func() {
		for _, conn := range other.conns {
			_ = conn.Close(context.Background())
		}
	})
	return other
}

// everyRule is all rules, with one login that may override what they refuse.
func everyRule(t *testing.T, login string) *policy.Set {
	t.Helper()
	set, err := policy.NewSet(rules.All(), policy.Settings{
		BulkRows: DefaultBulkRows, OverrideRoles: []string{login}, Actions: map[string]policy.Action{"table-renamed": policy.Rewrite},
	})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// lent adapts the pool.
type lent struct{ pool *control.Pool }

func (l lent) Conn(ctx context.Context, database string) (run.Conn, func(), error) {
	conn, err := l.pool.Conn(ctx, database)
	if err != nil {
		return nil, nil, err
	}
	return conn, func() { l.pool.Release(conn) }, nil
}

func (l lent) CloseDatabase(ctx context.Context, database string) error {
	return l.pool.CloseDatabase(ctx, database)
}

func (w *stage) command(t *testing.T, d *datadriven.TestData) string {
	name, longer := "a", 0
	d.MaybeScanArgs(t, "conn", &name)
	if d.MaybeScanArgs(t, "longer", &longer); longer > 0 {
		d.Input += " -- " + strings.Repeat("x", longer)
	}
	switch d.Cmd {
	case "direct":
		conn, err := pgconn.Connect(t.Context(), w.dsn+"&application_name="+roundTheProxy)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		return rowsOf(conn.Exec(t.Context(), d.Input).ReadAll())
	case "audit":
		return w.audited(t)
	case "trail":
		return w.trailed(t)
	case "hangup":
		w.hangUp(t, strings.Fields(d.Input))
		return ""
	case "later":
		passed, err := time.ParseDuration(d.Input)
		if err != nil {
			t.Fatal(err)
		}
		w.passed.Add(int64(passed))
		return ""
	case "start":
		conn := w.conn(t, name)
		w.waiting = make(chan string, 1)
		for len(w.noticed) > 0 {
			<-w.noticed
		}
		go func() { w.waiting <- rowsOf(conn.Exec(context.WithoutCancel(t.Context()), d.Input).ReadAll()) }()
		select {
		case <-w.noticed:
			return w.told(conn, "")
		case answer := <-w.waiting:
			t.Fatalf("%s: it did not wait: %s", d.Pos, answer)
		}
	case "hear":
		select {
		case <-w.noticed:
			return w.told(w.conn(t, name), "")
		case answer := <-w.waiting:
			t.Fatalf("%s: it waits no longer: %s", d.Pos, answer)
		}
	case "finish":
		return w.told(w.conn(t, name), <-w.waiting)
	case "revisions":
		return w.chronicled(t)
	case "bind":
		conn := w.conn(t, name)
		lines := strings.Split(d.Input, "\n")
		var values [][]byte
		var formats []int16
		for _, line := range lines[1:] {
			value, format := []byte(line), int16(0)
			if digits, binary := strings.CutPrefix(line, `\x`); binary {
				var err error
				if value, err = hex.DecodeString(digits); err != nil {
					t.Fatal(err)
				}
				format = 1
			}
			values, formats = append(values, value), append(formats, format)
		}
		result := conn.ExecParams(t.Context(), lines[0], values, nil, formats, nil).Read()
		return w.told(conn, rowsOf([]*pgconn.Result{result}, result.Err))
	case "configure":
		w.configure(t, d.Input)
		return ""
	case "connect":
		parameters := map[string]string{}
		for line := range strings.SplitSeq(d.Input, "\n") {
			key, value, _ := strings.Cut(line, " ")
			parameters[key] = value
		}
		return w.told(w.open(t, name, parameters), "")
	case "simple":
		conn := w.conn(t, name)
		results, err := conn.Exec(t.Context(), d.Input).ReadAll()
		return w.told(conn, rowsOf(results, err))
	case "extended":
		conn := w.conn(t, name)
		var out strings.Builder
		for _, line := range strings.Split(d.Input, "\n") {
			result := conn.ExecParams(t.Context(), line, nil, nil, nil, nil).Read()
			out.WriteString(rowsOf([]*pgconn.Result{result}, result.Err))
		}
		return w.told(conn, out.String())
	case "pipeline":
		conn := w.conn(t, name)
		batch := &pgconn.Batch{}
		for _, line := range strings.Split(d.Input, "\n") {
			batch.ExecParams(line, nil, nil, nil, nil)
		}
		return w.told(conn, rowsOf(conn.ExecBatch(t.Context(), batch).ReadAll()))
	}
	t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
	return ""
}

// hangUp closes connections, and waits until the proxy has done with them.
func (w *stage) hangUp(t *testing.T, names []string) {
	t.Helper()
	left := map[uint32]bool{}
	for _, name := range names {
		conn := w.conns[name]
		delete(w.conns, name)
		left[conn.PID()] = true
		if err := conn.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for len(left) > 0 {
		delete(left, <-w.over)
	}
}

// configure puts the options into force that a case says.
func (w *stage) configure(t *testing.T, text string) {
	options := *w.server.following.Load()
	options.Mode = Enforce
	settings := policy.Settings{Actions: map[string]policy.Action{}, BulkRows: DefaultBulkRows}
	for line := range strings.SplitSeq(text, "\n") {
		words := strings.SplitN(line, " ", 5)
		switch words[0] {
		case "defer":
			options.DeferWrites = true
		case "mode":
			options.Mode = map[string]Mode{"enforce": Enforce, "observe": Observe, "pass": Transparent}[words[1]]
		case "rule":
			action, err := policy.ParseAction(words[2])
			if err != nil {
				t.Fatal(err)
			}
			settings.Actions[words[1]] = action
		case "tool":
			schema, table, qualified := strings.Cut(words[2], ".")
			if !qualified {
				schema, table = "", words[2]
			}
			options.Tools = append([]revisions.Tool{revisions.Custom(words[1], schema, table, words[3:])}, revisions.Tools()...)
			options.VersionTables = regexp.MustCompile("(?i)" + table)
		case "exclusive":
			options.Exclusive = map[string]Exclusive{"off": Together, "wait": OneWaits, "refuse": OneRefused}[words[1]]
		case "override":
			settings.OverrideRoles = append(settings.OverrideRoles, words[1])
		case "exempt":
			e := policy.Exemption{Rules: words[1:2], Reason: words[4], Origin: "config.yaml:1:1"}
			if words[2] != "-" {
				e.Tables = words[2:3]
			}
			if words[3] != "-" {
				e.Revisions = words[3:4]
			}
			settings.Exemptions = append(settings.Exemptions, e)
		}
	}
	var err error
	if options.Policy, err = policy.NewSet(rules.All(), settings); err != nil {
		t.Fatal(err)
	}
	w.server.SetSession(options)
}

// audited is the trail in short: verdict, rules, outcome, what was asked, what ran, what was overridden and what need not have been.
func (w *stage) audited(t *testing.T) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out strings.Builder
	for line := range strings.Lines(w.trail.String()) {
		var e revisions.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Kind != revisions.Result && e.Kind != revisions.Decision {
			continue
		}
		fmt.Fprintf(&out, "%s %v %s %s: %s\n", e.Verdict, e.Rules, e.Outcome, e.SQLState, e.Asked)
		for _, sql := range e.Ran {
			fmt.Fprintf(&out, "  ran %s\n", sql)
		}
		for _, o := range e.Overrides {
			fmt.Fprintf(&out, "  %s of %s overridden by the %s: %s\n", o.Verdict, o.Rule, o.Source, o.Reason)
		}
		for _, rule := range e.Unneeded {
			fmt.Fprintf(&out, "  not needed: the override of %s\n", rule)
		}
		if len(e.Policy) != 12 {
			t.Errorf("%s: no policy is named", e.Asked)
		}
	}
	w.trail.Reset()
	return out.String()
}

// trailed is the whole trail since it was last asked, with statements and jobs numbered from 1.
func (w *stage) trailed(t *testing.T) string {
	for _, conn := range w.conns { // an answer comes before the trail is told how the transaction has ended, and behind it the next
		if _, err := conn.Exec(t.Context(), "").ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var out strings.Builder
	number := map[int64]int{}
	jobs := map[int64]int{}
	numbered := func(known map[int64]int, id int64) int {
		if known[id] == 0 && id != 0 {
			known[id] = len(known) + 1
		}
		return known[id]
	}
	for line := range strings.Lines(w.trail.String()) {
		var e struct {
			Seq int64 `json:"seq"`
			revisions.Entry
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Kind == revisions.Intent || e.Kind == revisions.Decision {
			numbered(number, e.Seq)
			e.Intent = e.Seq
		}
		if e.Session == "" || e.Session == e.User || e.Time.IsZero() || e.Version != revisions.EntryVersion {
			t.Errorf("it does not say who or when: %s", line)
		}
		out.WriteString(string(e.Kind))
		if e.Intent != 0 {
			fmt.Fprintf(&out, " %d", numbered(number, e.Intent))
		}
		for _, intent := range e.Intents {
			fmt.Fprintf(&out, " %d", numbered(number, intent))
		}
		if e.Job != 0 || e.Promise != 0 {
			out.WriteString(strings.TrimPrefix(fmt.Sprintf(" job %d", numbered(jobs, max(e.Job, e.Promise))), map[bool]string{true: " job"}[e.Kind == revisions.Work]))
		}
		switch e.Kind {
		case revisions.Intent:
			fmt.Fprintf(&out, ", %s, %s %v %s: %s", e.Protocol, e.Verdict, e.Rules, e.Recipe, e.Asked)
		case revisions.Decision:
			fmt.Fprintf(&out, ", %s, %s %v %s %s: %s", e.Protocol, e.Verdict, e.Rules, e.Outcome, e.SQLState, e.Asked)
		case revisions.Overridden:
			fmt.Fprintf(&out, ": %s of %s by the %s: %s", e.Overrides[0].Verdict, e.Overrides[0].Rule, e.Overrides[0].Source, e.Overrides[0].Reason)
		case revisions.Work:
			fmt.Fprintf(&out, " %s of %s: %s %s", e.Tag, e.Table, e.State, e.Error)
		default:
			fmt.Fprintf(&out, ": %s %s", e.Outcome, e.SQLState)
		}
		if len(e.Claims) > 0 && e.Kind == revisions.Intent {
			fmt.Fprintf(&out, "; claims %v: %q %q %v %q", e.Claims, e.Application, e.Actor, e.Tags, e.Revision)
		}
		fmt.Fprintln(&out)
	}
	w.trail.Reset()
	return strings.ReplaceAll(out.String(), " \n", "\n")
}

// chronicled is what the ledger has had since it was last asked. Sessions that are to be told of have ended their transaction.
func (w *stage) chronicled(t *testing.T) string {
	conn, err := control.Connect(t.Context(), w.dsn, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ledger, err := revisions.Open(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	told := func(id int64) {
		statements, err := ledger.Statements(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range statements {
			if s.ID <= w.heard {
				continue
			}
			fmt.Fprintf(&out, "  %s %v %s: %s\n", s.Verdict, s.Rules, s.Outcome, s.Asked)
			for _, sql := range s.Ran {
				fmt.Fprintf(&out, "    ran %s\n", sql)
			}
		}
	}
	rows, err := ledger.Revisions(t.Context(), revisions.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(rows)
	for _, row := range rows {
		if row.ID <= w.read {
			continue
		}
		w.read = row.ID
		fmt.Fprintf(&out, "%s %s %q", row.Tool, row.Direction, row.Revision)
		if row.Previous != "" {
			fmt.Fprintf(&out, " from %q", row.Previous)
		}
		fmt.Fprintf(&out, ": %s\n", row.State)
		told(row.ID)
	}
	before := out.Len()
	if told(0); out.Len() > before {
		text := out.String()
		out.Reset()
		out.WriteString(text[:before] + "none\n" + text[before:])
	}
	newest, err := conn.Query(t.Context(), "SELECT coalesce(max(id), 0) FROM pgsluice.statements")
	if err != nil {
		t.Fatal(err)
	}
	if w.heard, err = strconv.ParseInt(newest[0], 10, 64); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Write takes the audit trail.
func (w *stage) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trail.Write(line)
}

func (w *stage) conn(t *testing.T, name string) *pgconn.PgConn {
	t.Helper()
	if conn := w.conns[name]; conn != nil {
		return conn
	}
	return w.open(t, name, nil)
}

// open opens a connection with startup parameters.
func (w *stage) open(t *testing.T, name string, parameters map[string]string) *pgconn.PgConn {
	t.Helper()
	config, err := pgconn.ParseConfig(w.proxied)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(config.RuntimeParams, parameters)
	if user, given := parameters["user"]; given {
		config.User = user
		delete(config.RuntimeParams, "user")
	}
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if w.dead.Load() {
			return nil, errors.New("the client is dead")
		}
		return dial(ctx, network, address)
	}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.notices = append(w.notices, fmt.Sprintf("%s: %s", n.Severity, steadily(n.Message)))
		if strings.Contains(n.Message, "waiting until") {
			w.noticed <- struct{}{}
		}
	}
	conn, err := pgconn.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	w.conns[name] = conn
	return conn
}

// told is what came back, notices first, and the transaction status at the end.
func (w *stage) told(conn *pgconn.PgConn, out string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := append(w.notices, strings.TrimSuffix(out, "\n"), "status "+string(conn.TxStatus()))
	w.notices = nil
	return strings.TrimPrefix(strings.Join(lines, "\n"), "\n")
}

func rowsOf(results []*pgconn.Result, err error) string {
	var out strings.Builder
	for _, result := range results {
		for _, row := range result.Rows {
			var values []string
			for _, value := range row {
				values = append(values, string(value))
			}
			fmt.Fprintln(&out, strings.Join(values, " | "))
		}
		if tag := result.CommandTag.String(); tag != "" && !strings.HasPrefix(tag, "SELECT") {
			fmt.Fprintln(&out, tag)
		}
	}
	var failed *pgconn.PgError
	switch {
	case errors.As(err, &failed):
		fmt.Fprintf(&out, "%s: %s (%s)\n", failed.Severity, steadily(failed.Message), failed.Code)
		if failed.Position > 0 {
			fmt.Fprintf(&out, "  at character %d\n", failed.Position)
		}
		for _, more := range []string{failed.Detail, failed.Hint} {
			if more != "" {
				fmt.Fprintf(&out, "  %s\n", strings.ReplaceAll(steadily(more), "\n", "\n  "))
			}
		}
	case err != nil:
		fmt.Fprintf(&out, "%v\n", err)
	}
	return out.String()
}

// What a session does with temporary tables waits for no control connection.
func TestTemporaryTablesBorrowNothing(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	options := *w.server.following.Load()
	options.Control = unlent{t}
	w.server.SetSession(options)
	for _, sql := range []string{"BEGIN", "CREATE TEMP TABLE mine (id int)", "CREATE INDEX ON mine (id)", "DROP TABLE mine", "COMMIT"} {
		if _, err := w.conn(t, "a").Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// unlent lends nothing.
type unlent struct{ t *testing.T }

func (u unlent) Conn(context.Context, string) (run.Conn, func(), error) {
	u.t.Error("a control connection was borrowed")
	return nil, nil, errors.New("not lent")
}

func (unlent) CloseDatabase(context.Context, string) error { return nil }

// A turn that is over while the server skips to a Sync is given back later: the server would not answer.
func TestTurnIsOverInFailedPipeline(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	w.configure(t, "exclusive wait")
	conn := w.conn(t, "a")
	setup := "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY); INSERT INTO alembic_version VALUES ('1'); CREATE TABLE t (id int PRIMARY KEY)"
	if _, err := conn.Exec(t.Context(), setup).ReadAll(); err != nil {
		t.Fatal(err)
	}
	client := conn.Frontend()
	until := func(last byte) {
		t.Helper()
		if err := conn.Conn().SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if err := client.Flush(); err != nil {
			t.Fatal(err)
		}
		for kind := byte(0); kind != last; {
			m, err := client.Receive()
			if err != nil {
				t.Fatalf("waiting for %q: %v", last, err)
			}
			switch m.(type) {
			case *pgproto3.ErrorResponse:
				kind = 'E'
			case *pgproto3.ReadyForQuery:
				kind = 'Z'
			}
		}
	}
	client.Send(&pgproto3.Parse{Query: "SELECT nonsense"})
	client.Send(&pgproto3.Flush{})
	until('E')
	w.passed.Add(int64(2 * turnIdle))
	client.Send(&pgproto3.Parse{Query: "SELECT 1"})
	client.Send(&pgproto3.Sync{})
	until('Z')
}

// A client that has migrated and then does nothing, as a pool's connection, gives its turn back; not in the middle of a transaction.
func TestTurnOfIdleClient(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	w.turnIdle = time.Millisecond
	w.configure(t, "exclusive refuse")
	direct := pgtest.Connect(t, w.dsn)
	exec := func(conn, sql string) error {
		_, err := w.conn(t, conn).Exec(t.Context(), sql).ReadAll()
		return err
	}
	for _, sql := range []string{
		"CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY); INSERT INTO alembic_version VALUES ('1')",
		"BEGIN", "SELECT version_num FROM alembic_version", "CREATE TABLE t (id int PRIMARY KEY)",
	} {
		if err := exec("a", sql); err != nil {
			t.Fatal(err)
		}
	}
	const free = `SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = $1::bigint >> 32 AND objid::bigint = $1::bigint & 4294967295
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`
	if err := exec("b", "SELECT version_num FROM alembic_version"); err == nil || !strings.Contains(err.Error(), "one-migration") {
		t.Errorf("beside a migration that is under way another one looks at the versions: %v", err)
	}
	if err := exec("a", "COMMIT"); err != nil {
		t.Fatal(err)
	}
	pgtest.WaitFor(t, direct, free, int64(turnKey))
	for _, sql := range []string{"SELECT version_num FROM alembic_version", "CREATE TABLE u (id int PRIMARY KEY)"} {
		if err := exec("b", sql); err != nil {
			t.Errorf("behind a client that does nothing: %v", err)
		}
	}
	if err := exec("a", "SELECT 1"); err != nil {
		t.Errorf("the client that gave its turn back: %v", err)
	}
}
