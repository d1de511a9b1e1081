package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

func newExplainCommand() *cobra.Command {
	var (
		flags  ledgerFlags
		inTx   bool
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "explain SQL",
		Short: "say what would become of a statement, and run nothing",
		Long: `Say what pgsluice would make of a statement, or of several: the verdict, why, and what
would run in its place. Nothing is run. "-" reads the statements from standard input.

With --dsn the facts are those of that server, as that login sees them; without it they
are not known, and the verdict says which fact would decide it. --tx judges as inside a
transaction; a BEGIN among the statements does the same for what follows.`,
		Example: `  pgsluice explain "CREATE INDEX ON orders (customer_id)"
  pgsluice explain --tx --dsn "host=db.internal dbname=app user=app" - < migration.sql`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{message: cmd.CommandPath() + " takes one argument, the SQL", hint: `quote it: pgsluice explain "CREATE INDEX ON orders (customer_id)"`}
			}
			text := args[0]
			if text == "-" {
				all, err := io.ReadAll(cmd.InOrStdin())
				if err != nil {
					return fmt.Errorf("cannot read the statements: %w", err)
				}
				text = string(all)
			}
			judge, err := newJudge(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			defer judge.close()
			explained, err := judge.all(cmd.Context(), text, inTx)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), explained)
			}
			return printExplained(cmd.OutOrStdout(), explained, judge.live != nil)
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&inTx, "tx", false, "judge as inside a transaction")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// judge is what statements are judged by.
type judge struct {
	rules  *policy.Set
	live   *pgconn.PgConn // nil: no fact is known
	ledger bool           // statements can be deferred
}

// newJudge connects if the flags name a server. The caller closes it.
func newJudge(ctx context.Context, flags *ledgerFlags) (*judge, error) {
	config, _, err := flags.config()
	if err != nil {
		return nil, err
	}
	j := &judge{ledger: config.Deferred.Enabled}
	if j.rules, err = policySet(config); err != nil {
		return nil, err
	}
	login := flags.dsn
	if login == "" && flags.file != "" {
		login = string(config.Control.DSN)
	}
	if login == "" {
		return j, nil
	}
	if login, err = inDatabase(login, flags.database); err != nil {
		return nil, err
	}
	if j.ledger, err = canDefer(ctx, login); err != nil {
		return nil, err
	}
	j.ledger = j.ledger && config.Deferred.Enabled
	// Names mean what they mean to this login: unlike a control connection this one keeps its search_path.
	if j.live, err = pgconn.Connect(ctx, login); err != nil {
		return nil, unreachable(err)
	}
	return j, nil
}

// canDefer reports whether the database has a ledger that a proxy can work with.
func canDefer(ctx context.Context, login string) (bool, error) {
	conn, err := connect(ctx, login)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	_, err = revisions.Open(ctx, conn)
	return err == nil || errors.Is(err, revisions.ErrKeyUnreadable), nil
}

func (j *judge) close() {
	if j.live == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = j.live.Close(ctx) // the server ends the session either way
}

// Query implements facts.Querier.
func (j *judge) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	values := make([][]byte, len(args))
	for i, arg := range args {
		values[i] = []byte(arg)
	}
	result := j.live.ExecParams(ctx, sql, values, nil, nil, nil).Read()
	column := make([]string, len(result.Rows))
	for i, row := range result.Rows {
		column[i] = string(row[0])
	}
	return column, result.Err
}

// explained is what would become of one statement.
type explained struct {
	Statement string `json:"statement"`
	// Unread is why it could not be read; "" when it could.
	Unread     string       `json:"unread,omitempty"`
	Verdict    string       `json:"verdict"`
	Findings   []finding    `json:"findings"`
	Overridden []finding    `json:"overridden,omitempty"`
	Remarks    []string     `json:"remarks,omitempty"` // what is wrong with the overrides that were given
	Plan       *plannedWork `json:"plan,omitempty"`    // nil when the statement goes to the server as it is, or not at all
	// NoPlan is why there is no plan although there should be one.
	NoPlan string `json:"no_plan,omitempty"`
}

type finding struct {
	Rule    string `json:"rule"`
	Action  string `json:"action"`
	Message string `json:"message"`
	Detail  string `json:"detail,omitempty"`
	Hint    string `json:"hint,omitempty"`
	Unknown string `json:"unknown,omitempty"`
	// Override is what took it out of force, Reason why; "" for a finding in force.
	Override string `json:"override,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

type plannedWork struct {
	Recipe string        `json:"recipe"`
	Steps  []plannedStep `json:"steps"`
}

type plannedStep struct {
	SQL   string        `json:"sql"`
	Where rewrite.Where `json:"where"`
	// Budget is true for a step that takes its lock in short tries.
	Budget bool `json:"budget"`
}

// all judges every statement of a text.
func (j *judge) all(ctx context.Context, text string, inTx bool) ([]explained, error) {
	statements, err := ddl.Parse(text)
	if err != nil {
		statements = []ddl.Statement{{Text: text, Action: ddl.Unparsed{Reason: err.Error()}}}
	}
	all := []explained{}
	began := false
	for _, stmt := range statements {
		if control, ok := stmt.Action.(ddl.Transaction); ok {
			switch control.Op {
			case ddl.Begin:
				began = true
			case ddl.Commit, ddl.Rollback, ddl.Prepare:
				began = control.Chain
			}
		}
		one, err := j.one(ctx, stmt, inTx || began)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (j *judge) one(ctx context.Context, stmt ddl.Statement, inTx bool) (explained, error) {
	var known facts.Facts
	if j.live != nil {
		var err error
		if known, err = facts.Read(ctx, j, facts.For(stmt)); err != nil {
			return explained{}, err
		}
	}
	verdict := j.rules.Judge(stmt, known, policy.Context{
		InTransaction: inTx, Ledger: j.ledger, Revision: known.Settings["pgsluice.revision"], Now: time.Now(),
	})
	e := explained{
		Statement: stmt.Text, Verdict: verdict.Action.String(), Findings: findings(verdict.Findings), Overridden: findings(verdict.Overridden),
		Remarks: verdict.Remarks,
	}
	if unparsed, ok := stmt.Action.(ddl.Unparsed); ok {
		e.Unread = unparsed.Reason
	}
	if verdict.Action != policy.Rewrite {
		return e, nil
	}
	plan, err := rewrite.Build(stmt, known, verdict.Recipe())
	if err != nil {
		e.NoPlan = err.Error()
		return e, nil
	}
	e.Plan = &plannedWork{Recipe: plan.Recipe, Steps: []plannedStep{}}
	for _, step := range plan.Steps {
		where := step.Where
		if inTx && where == rewrite.Alone {
			where = "after commit, alone"
		}
		e.Plan.Steps = append(e.Plan.Steps, plannedStep{SQL: step.SQL, Where: where, Budget: step.Budget})
	}
	return e, nil
}

func findings(found []policy.Finding) []finding {
	list := []finding{}
	for _, f := range found {
		one := finding{Rule: f.Rule, Action: f.Action.String(), Message: f.Message, Detail: f.Detail, Hint: f.Hint, Unknown: f.Unknown}
		if f.Override != nil {
			one.Override, one.Reason = f.Override.Source, f.Override.Reason
		}
		list = append(list, one)
	}
	return list
}

func printExplained(w io.Writer, all []explained, live bool) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "There is no statement in this text.")
		return err
	}
	for i, e := range all {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s\n\n  %s\n", strings.TrimSpace(e.Statement), meaning(e.Verdict))
		if e.Unread != "" {
			fmt.Fprintf(w, "  It could not be read: %s\n", e.Unread)
		}
		for _, f := range e.Findings {
			printFinding(w, f)
		}
		for _, f := range e.Overridden {
			fmt.Fprintf(w, "\n  overridden: %s (%s), by the %s\n    Reason: %s\n", f.Rule, f.Action, f.Override, f.Reason)
		}
		for _, remark := range e.Remarks {
			fmt.Fprintf(w, "\n  %s\n", remark)
		}
		printPlan(w, e, live)
	}
	return nil
}

// meaning says what a verdict means.
func meaning(verdict string) string {
	switch verdict {
	case policy.Warn.String():
		return "WARN: it goes to the server as it is, with a warning"
	case policy.Rewrite.String():
		return "REWRITE: a safe form runs in its place"
	case policy.Block.String():
		return "BLOCK: it is refused"
	}
	return "PASS: it goes to the server as it is"
}

func printFinding(w io.Writer, f finding) {
	fmt.Fprintf(w, "\n  %s (%s)\n", f.Rule, f.Action)
	for _, text := range []string{f.Message, f.Detail, f.Hint} {
		for paragraph := range strings.Lines(text) {
			for _, line := range broken(paragraph, pageWidth) {
				fmt.Fprintf(w, "    %s\n", line)
			}
		}
	}
	if f.Unknown != "" {
		fmt.Fprintf(w, "    Not known, and it would decide: %s.\n", f.Unknown)
	}
}

func printPlan(w io.Writer, e explained, live bool) {
	switch {
	case e.NoPlan != "" && live:
		fmt.Fprintf(w, "\n  It would be refused all the same: %s\n", e.NoPlan)
	case e.NoPlan != "":
		fmt.Fprintln(w, "\n  The plan needs a server to ask: add --dsn DSN.")
	case e.Plan != nil:
		fmt.Fprintln(w, "\n  In its place runs:")
		for i, step := range e.Plan.Steps {
			where := string(step.Where)
			if step.Budget {
				where += ", its lock taken in short tries"
			}
			fmt.Fprintf(w, "    %d. %s;\n       (%s)\n", i+1, strings.TrimSpace(step.SQL), where)
		}
	}
}
