package main

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/revisions"
)

func newAuditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "read the audit trail, and find whether it was changed",
		Long: `Read the audit trail, or find whether somebody has changed it. docs/audit.md says what its
lines mean.`,
		Example: `  pgsluice audit tail -f /var/log/pgsluice/audit.log
  pgsluice audit verify /var/log/pgsluice/audit.log* --dsn "host=db.internal dbname=app user=postgres"`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAuditVerifyCommand(), newAuditTailCommand())
	return cmd
}

// verifyFlags say how a trail is verified.
type verifyFlags struct {
	logins  []string
	partial string
	log     bool
	asJSON  bool
}

func newAuditVerifyCommand() *cobra.Command {
	var flags verifyFlags
	cmd := &cobra.Command{
		Use:   "verify FILE...",
		Short: "find every line of the audit trail that was edited, removed or moved",
		Long: `Find every line of the audit trail that was edited, inserted, torn, removed or moved. Give
all of its files, in any order, those of .gz too; "-" is standard input. The chain of each
process goes on from file to file.

What only the end of a chain is missing, or a chain with every hash made anew, the file
itself does not tell: with --dsn it is compared with the lines that the proxies have
anchored in the ledger every few seconds. What is newer than the last anchor is not
vouched for, and counted. Where a proxy serves several databases, give the --dsn of each.

Where old files have been deleted, --partial lets chains begin in the middle and misses none
that had ended before; --partial=both lets them end in the middle, too.

The exit status is 1 when something is found, and 2 when the trail cannot be read.`,
		Example: `  pgsluice audit verify audit.log.2.gz audit.log.1 audit.log --dsn "host=db.internal dbname=app user=postgres"
  journalctl -u pgsluice -o cat | pgsluice audit verify --log -`,
		DisableFlagsInUseLine: true,
		Args:                  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{message: cmd.CommandPath() + " takes the files of the trail", hint: seeHelp(cmd)}
			}
			if err := verifyTrail(cmd, args, flags); err != nil {
				if errors.Is(err, errFound) {
					return err
				}
				return &notRun{err}
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&flags.logins, "dsn", nil, "compare with the anchors in the ledger of this database, `DSN`; may be given several times")
	cmd.Flags().StringVar(&flags.partial, "partial", "", "older files are elsewhere, or older and newer ones: `older|both`")
	cmd.Flags().Lookup("partial").NoOptDefVal = "older"
	cmd.Flags().BoolVar(&flags.log, "log", false, "the files are logs, in which other lines stand, too")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON")
	return cmd
}

func verifyTrail(cmd *cobra.Command, names []string, flags verifyFlags) error {
	elsewhere, known := map[string]revisions.Elsewhere{"": revisions.NoneElsewhere, "older": revisions.OlderElsewhere, "both": revisions.BothElsewhere}[flags.partial]
	if !known {
		return &usageError{message: cmd.CommandPath() + ": --partial must be older or both", hint: seeHelp(cmd)}
	}
	how := revisions.Verification{Elsewhere: elsewhere, Log: flags.log}
	for _, login := range flags.logins {
		anchors, err := anchorsIn(cmd, login)
		if err != nil {
			return err
		}
		how.Anchors = append(append([]revisions.Anchor{}, how.Anchors...), anchors...)
	}
	files, closeAll, err := openTrails(cmd.InOrStdin(), names)
	defer closeAll()
	if err != nil {
		return err
	}
	began := time.Now()
	verified, err := revisions.VerifyTrail(cmd.Context(), files, how)
	if err != nil {
		return err
	}
	if flags.asJSON {
		err = printJSON(cmd.OutOrStdout(), verified)
	} else {
		err = printVerified(cmd.OutOrStdout(), verified, how.Anchors != nil, time.Since(began))
	}
	if err == nil && len(verified.Findings) > 0 {
		return errFound
	}
	return err
}

// anchorsIn reads the anchors of one ledger.
func anchorsIn(cmd *cobra.Command, login string) ([]revisions.Anchor, error) {
	conn, err := connect(cmd.Context(), login)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return readAnchors(cmd, conn)
}

func readAnchors(cmd *cobra.Command, conn *control.Conn) ([]revisions.Anchor, error) {
	ledger, err := revisions.Open(cmd.Context(), conn)
	if err != nil {
		return nil, err
	}
	return ledger.Anchors(cmd.Context())
}

// openTrails opens the files of a trail.
func openTrails(stdin io.Reader, names []string) (files []revisions.TrailFile, closeAll func(), err error) {
	var opened []io.Closer
	closeAll = func() {
		for _, file := range opened {
			_ = file.Close() // it was only read
		}
	}
	for _, name := range names {
		text := stdin
		if name != "-" {
			file, err := os.Open(name)
			if err != nil {
				return nil, closeAll, err
			}
			opened, text = append(opened, file), file
		}
		if strings.HasSuffix(name, ".gz") {
			if text, err = gzip.NewReader(text); err != nil {
				return nil, closeAll, fmt.Errorf("cannot read %s: %w", name, err)
			}
		}
		files = append(files, revisions.TrailFile{Name: name, Text: text})
	}
	return files, closeAll, nil
}

func printVerified(w io.Writer, v revisions.Verified, compared bool, took time.Duration) error {
	paint := painter(w)
	for _, f := range v.Findings {
		if f.File == "" {
			fmt.Fprintf(w, "%s\n", paint("failed", f.Reason))
			continue
		}
		fmt.Fprintf(w, "%s: %s\n", paint("failed", fmt.Sprintf("%s:%d", f.File, f.Line)), f.Reason)
	}
	if v.More > 0 {
		fmt.Fprintf(w, "and %s\n", plural(v.More, "more finding"))
	}
	if len(v.Findings) > 0 {
		fmt.Fprintln(w)
	}
	for _, c := range v.Chains {
		fmt.Fprintf(w, "chain %s: lines %d to %d", c.Chain, c.First, c.Last)
		switch {
		case !compared:
		case c.At == nil:
			fmt.Fprint(w, ", none anchored")
		case c.Anchored == c.Last:
			fmt.Fprint(w, ", all anchored")
		default:
			fmt.Fprintf(w, ", the last %d not anchored", c.Last-c.Anchored)
		}
		fmt.Fprintln(w)
		if c.Process != "" {
			fmt.Fprintf(w, "  of process %s", c.Process)
			if c.At != nil {
				fmt.Fprintf(w, ", anchored at %s", c.At.Format(time.RFC3339))
			}
			fmt.Fprintln(w)
		}
	}
	outcome := paint("applied", "as they were written")
	if n := len(v.Findings) + v.More; n > 0 {
		outcome = paint("failed", plural(n, "finding"))
	}
	_, err := fmt.Fprintf(w, "%s in %s: %s.\n", plural(int(v.Lines), "line"), short(took), outcome)
	if err == nil && !compared && len(v.Findings) == 0 {
		_, err = fmt.Fprintln(w, "Whether lines are missing at the end only the ledger knows: give --dsn.")
	}
	return err
}

// tailFlags choose lines of the trail.
type tailFlags struct {
	config, kind, user, database, verdict, rule, outcome, session, grep string
	since                                                               time.Duration
	last                                                                int
	follow, asJSON                                                      bool
}

func newAuditTailCommand() *cobra.Command {
	var flags tailFlags
	cmd := &cobra.Command{
		Use:   "tail [FILE]",
		Short: "show the last lines of the audit trail",
		Long: `Show the last lines of the audit trail for people, and with -f those that come, also
after the file was rotated. Without FILE it is audit.file of the configuration; "-" is
standard input.

Intents are left out, because the result says the same; --kind intent shows them.`,
		Example: `  pgsluice audit tail -f /var/log/pgsluice/audit.log
  pgsluice audit tail --config config.yaml --verdict block --since 24h
  pgsluice audit tail audit.log --json --kind result | jq -r .asked`,
		DisableFlagsInUseLine: true,
		Args:                  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := flags.file(cmd, args)
			if err != nil {
				return err
			}
			return tailTrail(cmd, name, flags)
		},
	}
	cmd.Flags().StringVar(&flags.config, "config", "", "read audit.file of the configuration in `FILE`")
	cmd.Flags().BoolVarP(&flags.follow, "follow", "f", false, "show lines as they come, until Ctrl-C")
	cmd.Flags().IntVarP(&flags.last, "lines", "n", 20, "at most so `MANY`; 0 for all")
	cmd.Flags().StringVar(&flags.kind, "kind", "", "only lines of the `KIND`: intent, decision, result, outcome, override, job, admin")
	cmd.Flags().StringVar(&flags.user, "user", "", "only those of the login `NAME`")
	cmd.Flags().StringVar(&flags.database, "database", "", "only those about the database `NAME`")
	cmd.Flags().StringVar(&flags.verdict, "verdict", "", "only those with the verdict: pass, warn, rewrite or block")
	cmd.Flags().StringVar(&flags.rule, "rule", "", "only those about which the rule `NAME` had something to say")
	cmd.Flags().StringVar(&flags.outcome, "outcome", "", "only those that ended so: done, refused, failed, committed, …")
	cmd.Flags().StringVar(&flags.session, "session", "", "only those of the session `ID`")
	cmd.Flags().StringVar(&flags.grep, "grep", "", "only those with the `TEXT` in what was asked or ran")
	cmd.Flags().DurationVar(&flags.since, "since", 0, "only those of the last `TIME`: 24h")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print the lines as they are")
	return cmd
}

// file is the file to show.
func (f *tailFlags) file(cmd *cobra.Command, args []string) (string, error) {
	if len(args) > 1 {
		return "", &usageError{message: cmd.CommandPath() + " takes one file", hint: seeHelp(cmd)}
	}
	if f.kind != "" && !slices.Contains(kinds(), revisions.Kind(f.kind)) {
		return "", &usageError{message: "--kind must be intent, decision, result, outcome, override, job or admin", hint: seeHelp(cmd)}
	}
	for _, word := range []struct {
		flag, given string
		known       []string
	}{
		{"verdict", f.verdict, []string{"pass", "warn", "rewrite", "block"}},
		{"outcome", f.outcome, []string{"done", "deferred", "failed", "lost", "refused", "observed", "committed", "rolled back", "prepared", "in doubt", "unseen"}},
	} {
		if word.given != "" && !slices.Contains(word.known, word.given) {
			return "", &usageError{message: "--" + word.flag + " must be one of: " + strings.Join(word.known, ", "), hint: seeHelp(cmd)}
		}
	}
	if f.last < 0 || f.since < 0 {
		return "", &usageError{message: "--lines and --since must not be negative", hint: seeHelp(cmd)}
	}
	if len(args) == 1 {
		return args[0], nil
	}
	config, _, err := source{file: f.config, environ: os.Environ()}.load(knownRule)
	if err != nil {
		return "", err
	}
	if name := config.Audit.File; name != "" && name != "-" && !strings.HasPrefix(name, syslogPrefix) {
		return name, nil
	}
	return "", &usageError{message: cmd.CommandPath() + " needs a file: audit.file of the configuration is none", hint: "pgsluice audit tail /var/log/pgsluice/audit.log"}
}

func kinds() []revisions.Kind {
	return []revisions.Kind{revisions.Intent, revisions.Decision, revisions.Result, revisions.Ending, revisions.Overridden, revisions.Work, revisions.Admin}
}

// shows reports whether a line is wanted.
func (f *tailFlags) shows(e revisions.Entry, now time.Time) bool {
	who := cmp.Or(e.AuditSession, &revisions.AuditSession{})
	for _, wanted := range []struct{ is, want string }{
		{string(e.Kind), f.kind}, {who.User, f.user}, {who.Database, f.database}, {e.Verdict, f.verdict}, {e.Outcome, f.outcome}, {who.Session, f.session},
	} {
		if wanted.want != "" && wanted.is != wanted.want {
			return false
		}
	}
	switch {
	case f.kind == "" && e.Kind == revisions.Intent,
		f.since > 0 && now.Sub(e.Time) > f.since,
		f.rule != "" && !slices.Contains(e.Rules, f.rule) && !slices.ContainsFunc(e.Overrides, func(o revisions.Override) bool { return o.Rule == f.rule }):
		return false
	}
	return f.grep == "" || slices.ContainsFunc(append([]string{e.Asked}, e.Ran...), func(text string) bool {
		return strings.Contains(strings.ToLower(text), strings.ToLower(f.grep))
	})
}

// read reads one line; ok is false for one that is none of a trail, or not wanted.
func (f *tailFlags) read(line string, now time.Time) (e revisions.Entry, ok bool) {
	if err := json.Unmarshal([]byte(line), &e); err != nil || e.Kind == "" || e.Kind == revisions.Overridden && len(e.Overrides) == 0 {
		return e, false
	}
	return e, f.shows(e, now)
}
