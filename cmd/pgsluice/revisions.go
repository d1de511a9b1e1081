package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/revisions"
)

// revisionFlags choose revisions.
type revisionFlags struct {
	ledger ledgerFlags
	filter revisions.Filter
	since  time.Duration
	way    string
	asJSON bool
}

func newRevisionsCommand() *cobra.Command {
	var flags revisionFlags
	cmd := &cobra.Command{
		Use:   "revisions",
		Short: "list what migrations were applied, and what was run for them",
		Long: `List the revisions that migration tools have applied through pgsluice, newest first, as
learned from what the tools write to their own version tables.

  up, down  the revision was applied, or taken back
  force     its row was written or deleted, and nothing was run: stamp, baseline, repair
  moved     the version changed, and nobody can tell in which direction

  applied   the transaction that wrote the row is committed
  open      it has not ended yet
  running   the revision has begun: its row comes first
  failed    it was begun and has not ended, or the tool said so
  lost      nobody knows how its transaction ended

SQL counts the statements and names the strictest verdict about them. Rows that a
migration changes are no schema changes and not listed.`,
		Example: `  pgsluice revisions --dsn "host=db.internal dbname=app user=postgres"
  pgsluice revisions show 12 --config config.yaml
  pgsluice revisions diff "host=staging dbname=app" "host=prod dbname=app"`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return listRevisions(cmd, &flags) },
	}
	flags.ledger.register(cmd)
	cmd.PersistentFlags().BoolVar(&flags.asJSON, "json", false, "print JSON")
	flags.choose(cmd)
	list := &cobra.Command{
		Use:     "list",
		Short:   "list revisions, newest first",
		Long:    "List the revisions that migration tools have applied, newest first. pgsluice revisions --help says what the words mean.",
		Example: `  pgsluice revisions list --tool alembic --since 24h --config config.yaml`,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return listRevisions(cmd, &flags) },
	}
	flags.choose(list)
	cmd.AddCommand(list, newRevisionsShowCommand(&flags), newRevisionsDiffCommand(&flags), newOutOfBandCommand(&flags))
	return cmd
}

// choose registers the flags that choose revisions.
func (f *revisionFlags) choose(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.filter.Tool, "tool", "", "only those of the `TOOL`: alembic, django, …")
	cmd.Flags().StringVar(&f.filter.Revision, "revision", "", "only those of the revision `ID`, as the tool names it")
	cmd.Flags().StringVar(&f.way, "direction", "", "only those that went up, down, force or moved")
	cmd.Flags().StringVar(&f.filter.State, "state", "", "only those in the `STATE`: applied, open, running, failed, …")
	cmd.Flags().DurationVar(&f.since, "since", 0, "only those that began within the last `TIME`: 24h")
	cmd.Flags().IntVar(&f.filter.Limit, "limit", 50, "at most so `MANY`; 0 for all")
}

// chosen reports whether the flags leave any revision out for what it is.
func (f *revisionFlags) chosen() bool {
	return f.filter != revisions.Filter{Limit: f.filter.Limit} || f.way != "" || f.since != 0
}

func newRevisionsShowCommand(flags *revisionFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "show every statement of a revision: asked, ran, locks, waits",
		Long: `Show every statement of a revision: what was asked, what ran instead, which locks it took
that others wait for, how long it waited, and how it ended. "show none" shows the last
thousand schema changes that are unattributed: they belong to no revision.`,
		Example:               `  pgsluice revisions show 12 --config config.yaml`,
		DisableFlagsInUseLine: true,
		Args:                  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "none" {
				return showRevision(cmd, flags, 0)
			}
			id, err := int64(0), error(nil)
			if len(args) == 1 {
				id, err = strconv.ParseInt(args[0], 10, 64)
			}
			if err != nil || id < 1 {
				return &usageError{message: cmd.CommandPath() + ` takes one ID, a number, or the word "none"`, hint: "pgsluice revisions lists them"}
			}
			return showRevision(cmd, flags, id)
		},
	}
}

// open opens the ledger and settles what has ended since.
func (f *revisionFlags) open(cmd *cobra.Command) (*control.Conn, *revisions.Ledger, error) {
	conn, ledger, err := f.ledger.open(cmd.Context(), cmd)
	if err != nil {
		return nil, nil, err
	}
	_, err = ledger.Settle(cmd.Context())
	if err == nil {
		err = ledger.SortChanges(cmd.Context())
	}
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, ledger, nil
}

func listRevisions(cmd *cobra.Command, flags *revisionFlags) error {
	switch flags.way {
	case "", "up", "down", "force", "moved":
	default:
		return &usageError{message: "--direction must be up, down, force or moved", hint: seeHelp(cmd)}
	}
	states := []string{"applied", "open", "running", "failed", "rolled back", "lost", "begun"}
	switch state := flags.filter.State; {
	case state != "" && !slices.Contains(states, state):
		return &usageError{message: "--state must be one of: " + strings.Join(states[:6], ", "), hint: seeHelp(cmd)}
	case flags.filter.Limit < 0 || flags.since < 0:
		return &usageError{message: "--limit and --since must not be negative", hint: seeHelp(cmd)}
	}
	conn, ledger, err := flags.open(cmd)
	if err != nil {
		return err
	}
	defer conn.Close()
	filter := flags.filter
	filter.Direction = revisions.Direction(flags.way)
	if flags.since > 0 {
		filter.Since = time.Now().Add(-flags.since).Format(time.RFC3339Nano)
	}
	rows, err := ledger.Revisions(cmd.Context(), filter)
	if err != nil {
		return err
	}
	if flags.asJSON {
		return printJSON(cmd.OutOrStdout(), append([]revisions.RevisionRow{}, rows...))
	}
	if err := printRevisions(cmd.OutOrStdout(), rows); err != nil || flags.chosen() {
		return err
	}
	unattributed, err := ledger.CountUnattributed(cmd.Context())
	if err != nil {
		return err
	}
	outOfBand, err := ledger.CountChanges(cmd.Context(), 0)
	if err != nil {
		return err
	}
	if unattributed > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "\nUnattributed: %s of no revision (pgsluice revisions show none).\n", plural(int(unattributed), "schema change"))
	}
	if outOfBand > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "\nOut of band: %s that no proxy has judged (pgsluice revisions out-of-band).\n", plural(int(outOfBand), "schema change"))
	}
	return nil
}

// printRevisions prints a table. What is too long for it is cut: the revision's id first, then whose it was, then the tool.
func printRevisions(w io.Writer, rows []revisions.RevisionRow) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "There are no revisions.")
		return err
	}
	const idColumn, toolColumn, stateColumn, byColumn = 2, 3, 4, 7
	table := [][]string{{"ID", "WAY", "REVISION", "TOOL", "STATE", "AGE", "TOOK", "BY", "SQL"}}
	for _, row := range rows {
		took := "-"
		if row.Finished != nil {
			took = short(row.Finished.Sub(row.Started))
		}
		table = append(table, []string{
			strconv.FormatInt(row.ID, 10), string(row.Direction), orDash(printable(row.Revision)), printable(row.Tool), row.State, age(row.Started), took,
			printable(row.Login), work(row),
		})
	}
	paint := painter(w)
	for _, line := range fitted(table, []shrinkage{{idColumn, 16}, {byColumn, 6}, {toolColumn, 7}, {idColumn, 8}, {byColumn, 4}, {toolColumn, 5}},
		func(row, column int, cell, padded string) string {
			if row > 0 && column == stateColumn {
				return paint(cell, padded)
			}
			return padded
		}) {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// painter colours a state, where the output takes colours.
func painter(w io.Writer) func(state, text string) string {
	return func(state, text string) string {
		color := map[string]string{
			"applied": "32", "committed": "32", "failed": "31", "refused": "31", "lost": "31", "rolled back": "33", "open": "33", "running": "33",
		}[state]
		if color == "" || !wantsColor(w) {
			return text
		}
		return "\x1b[" + color + "m" + text + "\x1b[0m"
	}
}

// short is a duration in three digits or so.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}

// work is how many statements a revision has, and the strictest verdict about them.
func work(row revisions.RevisionRow) string {
	if row.Work.Statements == 0 {
		return "-"
	}
	return fmt.Sprintf("%d %s", row.Work.Statements, strictest(row.Work.Verdicts))
}

func strictest(verdicts []string) string {
	order := []string{"block", "rewrite", "warn"}
	for _, verdict := range order {
		if slices.Contains(verdicts, verdict) {
			return verdict
		}
	}
	return "pass"
}

func showRevision(cmd *cobra.Command, flags *revisionFlags, id int64) error {
	conn, ledger, err := flags.open(cmd)
	if err != nil {
		return err
	}
	defer conn.Close()
	shown := struct {
		*revisions.RevisionRow
		List []revisions.Statement `json:"list"`
	}{}
	if id != 0 {
		rows, err := ledger.Revisions(cmd.Context(), revisions.Filter{ID: id})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return &failure{err: fmt.Errorf("there is no revision %d in this database", id), hint: "pgsluice revisions lists them; ID is the first column"}
		}
		shown.RevisionRow = &rows[0]
	}
	if shown.List, err = ledger.Statements(cmd.Context(), id); err != nil {
		return err
	}
	if flags.asJSON {
		return printJSON(cmd.OutOrStdout(), shown)
	}
	if shown.RevisionRow != nil {
		printRevision(cmd.OutOrStdout(), *shown.RevisionRow)
	}
	if len(shown.List) == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), "No schema change was run for it.")
	}
	for i, s := range shown.List {
		printStatement(cmd.OutOrStdout(), i+1, s)
		if id == 0 {
			fmt.Fprintf(cmd.OutOrStdout(), "   by      %s from %s, %s\n", printable(s.Login), printable(s.Client), s.Started.Format(time.RFC3339))
		}
	}
	return nil
}

func printRevision(w io.Writer, row revisions.RevisionRow) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-9s  %s\n", name, printable(value))
		}
	}
	line("revision", orDash(row.Revision))
	line("way", string(row.Direction))
	line("before it", row.Previous)
	line("tool", row.Tool+", in "+row.Table)
	fmt.Fprintf(w, "%-9s  %s\n", "state", painter(w)(row.State, row.State))
	line("began", row.Started.Format(time.RFC3339))
	if row.Finished != nil {
		line("took", short(row.Finished.Sub(row.Started)))
	}
	line("login", row.Login+" from "+row.Client)
	line("program", row.Application)
	if row.Work.WaitedMS > 0 {
		line("waited", short(time.Duration(row.Work.WaitedMS)*time.Millisecond)+" for locks")
	}
	line("checksum", row.Work.Checksum)
	fmt.Fprintln(w)
}

func printStatement(w io.Writer, n int, s revisions.Statement) {
	fmt.Fprintf(w, "%d. %s\n", n, printable(s.Asked))
	verdict := s.Verdict
	if len(s.Rules) > 0 {
		verdict += " by " + strings.Join(s.Rules, ", ")
	}
	fmt.Fprintf(w, "   %s: %s\n", painter(w)(s.Outcome, s.Outcome), verdict)
	for _, ran := range s.Ran {
		fmt.Fprintf(w, "   ran     %s\n", printable(ran))
	}
	for _, lock := range s.Locks {
		fmt.Fprintf(w, "   lock    %s on %s\n", lock.Mode, printable(lock.Table))
	}
	if s.WaitedMS > 0 || s.Tries > 1 {
		fmt.Fprintf(w, "   waited  %s, %d tries\n", short(time.Duration(s.WaitedMS)*time.Millisecond), s.Tries)
	}
	if s.Rows != nil {
		fmt.Fprintf(w, "   rows    %d\n", *s.Rows)
	}
	if s.Promise != 0 {
		fmt.Fprintf(w, "   job     %d: pgsluice jobs show %[1]d\n", s.Promise)
	}
	for _, o := range s.Overrides {
		fmt.Fprintf(w, "   allowed %s by the %s: %s\n", o.Rule, o.Source, printable(o.Reason))
	}
	if s.SQLState != "" || s.Error != "" {
		fmt.Fprintf(w, "   error   %s %s\n", s.SQLState, printable(s.Error))
	}
}
