package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/revisions"
)

func newCheckCommand() *cobra.Command {
	var (
		flags  ledgerFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "check",
		Short: "say what this server and login allow, and what will not work",
		Long: `Connect directly to Postgres and say what this server and this login allow, and what
will not work through pgsluice: version, rights, standby, replicas, poolers in between,
extensions, event triggers, publications, the ledger. Nothing is changed.

Check the login of the proxies (control.dsn) and the one that migrations use.

The exit status is 1 if something will not work.`,
		Example: `  pgsluice check --dsn "host=db.internal dbname=app user=app"
  pgsluice check --config config.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			login, err := flags.login(cmd)
			if err != nil {
				return err
			}
			conn, err := connect(cmd.Context(), login)
			if err != nil {
				return err
			}
			defer conn.Close()
			findings, err := examine(cmd.Context(), conn)
			if err != nil {
				return err
			}
			return printExamination(cmd.OutOrStdout(), findings, asJSON)
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

//go:embed check.sql
var checkSQL string

// examined is what check.sql answers.
type examined struct {
	Version              string   `json:"version"`
	VersionNum           int      `json:"version_num"`
	Database             string   `json:"database"`
	Login                string   `json:"login"`
	PID                  uint32   `json:"pid"`
	Standby              bool     `json:"standby"`
	ReadOnly             bool     `json:"read_only"`
	Superuser            bool     `json:"superuser"`
	CreateInDatabase     bool     `json:"create_in_database"`
	CreateTemporary      bool     `json:"create_temporary"`
	Stats                bool     `json:"stats"`
	Encrypted            bool     `json:"encrypted"`
	Local                bool     `json:"local"`
	SSL                  bool     `json:"ssl"`
	SCRAM                bool     `json:"scram"`
	CheckInterval        *string  `json:"check_interval"` // nil before Postgres 14
	DeadlockTimeout      string   `json:"deadlock_timeout"`
	ClosedSchemas        []string `json:"closed_schemas"`
	ForeignOwners        []string `json:"foreign_owners"`
	Replicas             []string `json:"replicas"`
	IdleSlots            []string `json:"idle_slots"`
	Extensions           []string `json:"extensions"`
	EventTriggers        []string `json:"event_triggers"`
	Publications         []string `json:"publications"`
	InvalidIndexes       []string `json:"invalid_indexes"`
	OldTransactions      []string `json:"old_transactions"`
	PreparedTransactions int      `json:"prepared_transactions"`

	// poolers are signs that this is not one session with the server.
	poolers []string
	// deadClients is why the server cannot notice a dead client while it works; nil if it can.
	deadClients error
	ledger      error // why the ledger cannot be used; nil if it can
	watch       revisions.Watch
	failed      int // promises
	open        int
}

// grade is how well a thing is.
type grade string

const (
	fine    grade = "ok"
	warning grade = "warn" // it works, and there is something to know
	failing grade = "fail" // it will not work
)

// examination is one thing that was looked at.
type examination struct {
	Name   string `json:"name"`
	Grade  grade  `json:"grade"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

// examine looks at everything.
func examine(ctx context.Context, conn *control.Conn) ([]examination, error) {
	e, err := readExamined(ctx, conn)
	if err != nil {
		return nil, err
	}
	return []examination{
		e.version(), e.primary(), e.session(), e.monitoring(), e.building(), e.standIn(), e.ledgerState(), e.promises(),
		e.replication(), e.published(), e.extensions(), e.eventTriggers(), e.watched(), e.oldest(), e.leftovers(), e.deadClient(), e.encryption(),
	}, nil
}

func readExamined(ctx context.Context, conn *control.Conn) (examined, error) {
	var e examined
	rows, err := conn.Query(ctx, checkSQL)
	if err != nil {
		return e, fmt.Errorf("cannot ask the server: %w", err)
	}
	if len(rows) != 1 {
		return e, errors.New("the server does not know its own login: was the role dropped or renamed meanwhile?")
	}
	if err := json.Unmarshal([]byte(rows[0]), &e); err != nil {
		return e, fmt.Errorf("cannot read the server's answer: %w", err)
	}
	if e.PID != conn.PID() {
		e.poolers = append(e.poolers, fmt.Sprintf("the login named backend %d, the queries run on %d", conn.PID(), e.PID))
	}
	again, err := conn.Query(ctx, "SELECT pg_catalog.pg_backend_pid()")
	if err != nil {
		return e, fmt.Errorf("cannot ask for the backend: %w", err)
	}
	if again[0] != strconv.FormatUint(uint64(e.PID), 10) {
		e.poolers = append(e.poolers, "the backend changes between transactions")
	}
	if e.CheckInterval != nil {
		_, e.deadClients = conn.Exec(ctx, "SELECT pg_catalog.set_config('client_connection_check_interval', '500ms', true)") // until the end of this statement
	}
	e.failed, e.open, e.ledger = ledgerOf(ctx, conn)
	if e.watch, err = revisions.ReadWatch(ctx, conn); err != nil {
		return e, err
	}
	return e, nil
}

// ledgerOf counts the promises that are not kept.
func ledgerOf(ctx context.Context, conn *control.Conn) (failed, open int, err error) {
	ledger, err := revisions.Open(ctx, conn)
	if err != nil {
		return 0, 0, err
	}
	jobs, err := openJobs(ctx, ledger)
	for _, j := range jobs {
		if j.State == revisions.Failed {
			failed++
			continue
		}
		open++
	}
	return failed, open, err
}

func (e examined) version() examination {
	x := examination{Name: "version", Grade: fine, Detail: "PostgreSQL " + e.Version}
	switch major := e.VersionNum / 10000; {
	case major < 13:
		x.Grade, x.Hint = failing, "pgsluice supports PostgreSQL 13 to 18: upgrade the server"
	case major > 18:
		x.Grade, x.Hint = warning, "pgsluice was proven on PostgreSQL 13 to 18: use a newer pgsluice if there is one"
	case e.VersionNum >= 140000 && e.VersionNum < 140004:
		x.Grade, x.Hint = warning, "14.0 to 14.3 can corrupt an index that is built concurrently, so pgsluice refuses to: upgrade to 14.4 or later"
	}
	return x
}

func (e examined) primary() examination {
	x := examination{Name: "primary", Grade: fine, Detail: "the server accepts writes"}
	switch {
	case e.Standby:
		x.Grade, x.Detail = failing, "the server is a standby: the schema cannot be changed here"
		x.Hint = "point upstream and this DSN to the primary, or set upstream.hosts and target_session_attrs: read-write"
	case e.ReadOnly:
		x.Grade, x.Detail = warning, fmt.Sprintf("transactions of %s are read only by default", e.Login)
		x.Hint = "a migration must say SET TRANSACTION READ WRITE, or change default_transaction_read_only for its login"
	}
	return x
}

func (e examined) session() examination {
	if len(e.poolers) == 0 {
		return examination{Name: "session", Grade: fine, Detail: "one connection is one session of the server"}
	}
	return examination{
		Name: "session", Grade: failing, Detail: "there is a pooler in between: " + strings.Join(e.poolers, "; "),
		Hint: "connect pgsluice to Postgres itself, and put the pooler in front of pgsluice if there must be one",
	}
}

func (e examined) monitoring() examination {
	if e.Stats {
		return examination{Name: "monitoring", Grade: fine, Detail: e.Login + " sees the sessions of others"}
	}
	return examination{
		Name: "monitoring", Grade: warning, Detail: e.Login + " does not see the sessions of others: as control login it cannot name who blocks a schema change",
		Hint: fmt.Sprintf("GRANT pg_monitor TO %s", quoteIdent(e.Login)),
	}
}

func (e examined) building() examination {
	x := examination{Name: "rights", Grade: fine, Detail: fmt.Sprintf("%s may create objects in database %s", e.Login, e.Database)}
	var missing []string
	if !e.CreateInDatabase {
		missing = append(missing, "schemas in database "+e.Database)
	}
	if len(e.ClosedSchemas) > 0 {
		missing = append(missing, "indexes in "+few(e.ClosedSchemas, "schema"))
	}
	if len(missing) > 0 {
		x.Grade, x.Detail = warning, fmt.Sprintf("%s may not create %s", e.Login, strings.Join(missing, ", or "))
		x.Hint = "that matters for a login that runs migrations, or pgsluice install; a control login does not need it"
	}
	if !e.CreateTemporary {
		x.Grade, x.Detail = warning, x.Detail+"; and no temporary tables"
		x.Hint = fmt.Sprintf("a statement is tried out on a temporary copy before it is deferred: GRANT TEMPORARY ON DATABASE %s TO %s",
			quoteIdent(e.Database), quoteIdent(e.Login))
	}
	return x
}

func (e examined) standIn() examination {
	if len(e.ForeignOwners) == 0 {
		return examination{Name: "stand-in", Grade: fine, Detail: e.Login + " may finish what a crash leaves of anybody's work"}
	}
	return examination{
		Name: "stand-in", Grade: warning,
		Detail: fmt.Sprintf("%s is no member of %s: as control login it cannot finish what a crash leaves of their work", e.Login, few(e.ForeignOwners, "table owner")),
		Hint:   fmt.Sprintf("GRANT %s TO %s, or run pgsluice jobs resume with their credentials", quoteIdent(e.ForeignOwners[0]), quoteIdent(e.Login)),
	}
}

func (e examined) ledgerState() examination {
	x := examination{Name: "ledger", Grade: failing, Hint: "nothing can be deferred behind a COMMIT until this is mended"}
	switch {
	case e.ledger == nil:
		return examination{Name: "ledger", Grade: fine, Detail: fmt.Sprintf("version %d, and %s may work with it", revisions.Version, e.Login)}
	case errors.Is(e.ledger, revisions.ErrNotInstalled):
		x.Grade, x.Detail = warning, "it is not installed in database "+e.Database
		x.Hint = "what must wait for COMMIT is refused inside a transaction: run pgsluice install"
	case errors.Is(e.ledger, revisions.ErrKeyUnreadable):
		x.Grade, x.Detail = warning, e.Login+" is not its control role"
		x.Hint = "right for a login that runs migrations; for control.dsn run pgsluice install --control-role " + e.Login
	default:
		x.Detail = strings.TrimPrefix(e.ledger.Error(), "cannot open the ledger: ")
	}
	return x
}

func (e examined) promises() examination {
	switch {
	case e.ledger != nil:
		return examination{Name: "promises", Grade: fine, Detail: "not known without the ledger"}
	case e.failed > 0:
		return examination{
			Name: "promises", Grade: failing, Detail: plural(e.failed, "promise") + " failed: the next schema change is refused",
			Hint: "pgsluice jobs list says which; mend the data, then run pgsluice jobs resume",
		}
	case e.open > 0:
		return examination{Name: "promises", Grade: warning, Detail: plural(e.open, "promise") + " not kept yet", Hint: "pgsluice jobs list says which"}
	}
	return examination{Name: "promises", Grade: fine, Detail: "none is left to be kept"}
}

func (e examined) replication() examination {
	x := examination{Name: "replicas", Grade: fine, Detail: "none is connected"}
	if len(e.Replicas) > 0 {
		x.Detail = few(e.Replicas, "replica")
	}
	if len(e.IdleSlots) > 0 {
		x.Grade, x.Detail = warning, x.Detail+"; nobody reads from "+few(e.IdleSlots, "slot")
		x.Hint = "an idle slot keeps all WAL, and index builds write much of it: drop it with pg_drop_replication_slot if nobody comes back"
	}
	return x
}

func (e examined) published() examination {
	if len(e.Publications) == 0 {
		return examination{Name: "publications", Grade: fine, Detail: "none is FOR ALL TABLES"}
	}
	return examination{
		Name: "publications", Grade: warning, Detail: few(e.Publications, "publication") + " FOR ALL TABLES publishes the ledger too, with its key",
		Hint: "install the ledger in the subscribers' databases first, then here with --published",
	}
}

func (e examined) extensions() examination {
	if len(e.Extensions) == 0 {
		return examination{Name: "extensions", Grade: fine, Detail: "none changes what a table is"}
	}
	return examination{
		Name: "extensions", Grade: warning, Detail: strings.Join(e.Extensions, ", ") + " keeps tables in pieces of its own",
		Hint: "its distributed tables and hypertables count as large, and some safe forms are refused for them",
	}
}

func (e examined) eventTriggers() examination {
	if len(e.EventTriggers) == 0 {
		return examination{Name: "event triggers", Grade: fine, Detail: "there is none"}
	}
	return examination{
		Name: "event triggers", Grade: warning, Detail: few(e.EventTriggers, "event trigger") + " runs with every schema change",
		Hint: "they see the safe form and the temporary copy that it is tried out on, and their errors become the migration's; " +
			"work that a crash left waits for its own login",
	}
}

func (e examined) watched() examination {
	x := examination{Name: "out-of-band", Grade: warning, Hint: "run pgsluice install --event-trigger"}
	w := e.watch
	switch {
	case w.None():
		x.Grade, x.Detail = fine, "the server does not write down schema changes: what goes round the proxy is not seen"
		x.Hint = "pgsluice install --event-trigger has it do so; it takes a superuser, or what a managed service has in its place"
		if e.Superuser {
			x.Hint = "pgsluice install --event-trigger has it do so"
		}
	case len(w.Foreign) > 0:
		x.Detail = few(w.Foreign, "event trigger") + " has a name of pgsluice's and runs something else"
		x.Hint = "look at it, drop or rename it, and run pgsluice install --event-trigger"
	case !w.On():
		x.Detail = "some schema changes are not written down: missing or not always enabled is " + few(slices.Concat(w.Missing, w.Off), "event trigger")
	case len(w.Replacers) > 0:
		x.Detail = few(w.Replacers, "role") + " may act as the owner of the ledger, and so have code run with everybody's schema changes"
		x.Hint = "REVOKE pgsluice_owner FROM " + w.Replacers[0]
	default:
		return examination{Name: "out-of-band", Grade: fine, Detail: "the server writes down every schema change, and who went round the proxy"}
	}
	return x
}

func (e examined) oldest() examination {
	var found []string
	if len(e.OldTransactions) > 0 {
		found = append(found, "open for more than 5 minutes: "+few(e.OldTransactions, "transaction"))
	}
	if e.PreparedTransactions > 0 {
		found = append(found, plural(e.PreparedTransactions, "prepared transaction"))
	}
	if len(found) == 0 {
		return examination{Name: "transactions", Grade: fine, Detail: "none is open for long"}
	}
	return examination{
		Name: "transactions", Grade: warning, Detail: strings.Join(found, "; "),
		Hint: "a concurrent build waits for all that are older than itself: end them with pg_terminate_backend or ROLLBACK PREPARED",
	}
}

func (e examined) leftovers() examination {
	if len(e.InvalidIndexes) == 0 {
		return examination{Name: "indexes", Grade: fine, Detail: "all are valid"}
	}
	return examination{
		Name: "indexes", Grade: warning, Detail: few(e.InvalidIndexes, "index") + " is INVALID: writes maintain it, no query uses it",
		Hint: "if nobody is building it: DROP INDEX CONCURRENTLY " + e.InvalidIndexes[0],
	}
}

func (e examined) deadClient() examination {
	x := examination{Name: "dead clients", Grade: fine, Detail: "the server can notice that a client died while it works (client_connection_check_interval)"}
	switch {
	case e.CheckInterval == nil:
		x.Grade, x.Detail = warning, "before PostgreSQL 14 the server does not notice that a client died while it works"
		x.Hint = "after a crash of pgsluice a build may run to its end before the next proxy takes over"
	case e.deadClients != nil:
		x.Grade, x.Detail = warning, "the server's platform cannot tell that a client died while it works"
		x.Hint = "after a crash of pgsluice a build may run to its end before the next proxy takes over"
	}
	return x
}

func (e examined) encryption() examination {
	switch {
	case !e.Encrypted && e.Local:
		return examination{Name: "TLS", Grade: fine, Detail: "this connection does not leave the machine"}
	case !e.Encrypted && e.SSL:
		return examination{Name: "TLS", Grade: warning, Detail: "this connection is not encrypted, although the server could", Hint: "set upstream.sslmode to verify-full"}
	case !e.Encrypted:
		return examination{Name: "TLS", Grade: warning, Detail: "this connection is not encrypted, and the server has ssl off", Hint: "right only on a network that nobody else is on"}
	case e.SCRAM:
		return examination{
			Name: "TLS", Grade: fine, Detail: "this connection is encrypted",
			Hint: "clients that connect to pgsluice with TLS cannot use channel binding, unless tls.cert is the server's own certificate",
		}
	}
	return examination{Name: "TLS", Grade: fine, Detail: "this connection is encrypted"}
}

// few lists the first names of many, with what they are.
func few(names []string, what string) string {
	const most = 3
	if len(names) <= most {
		return plainly(len(names), what) + strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s%s and %d more", plainly(len(names), what), strings.Join(names[:most], ", "), len(names)-most)
}

// plainly is the word before a list: "schema " or "schemas ".
func plainly(n int, what string) string {
	if n == 1 {
		return what + " "
	}
	if strings.HasSuffix(what, "x") {
		return what + "es "
	}
	return what + "s "
}

func quoteIdent(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// printExamination prints what was found; errUnfinished if something will not work.
func printExamination(w io.Writer, found []examination, asJSON bool) error {
	works := true
	for _, x := range found {
		works = works && x.Grade != failing
	}
	if asJSON {
		if err := printJSON(w, map[string]any{"works": works, "checks": found}); err != nil {
			return err
		}
	} else {
		for _, x := range found {
			fmt.Fprintf(w, "%-4s  %-14s  %s\n", x.Grade, x.Name, x.Detail)
			if x.Hint != "" {
				fmt.Fprintf(w, "%22s%s\n", "", x.Hint)
			}
		}
	}
	if !works {
		return errUnfinished
	}
	return nil
}
