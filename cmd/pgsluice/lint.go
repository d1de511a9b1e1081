package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/lint"
	"github.com/pgsluice/pgsluice/policy"
)

// lintFlags are those of pgsluice lint.
type lintFlags struct {
	config    string
	rules     []string
	dsn       string
	stats     string
	pgVersion string
	tool      string
	format    string
	failOn    string
	since     string
	stdinName string
	newTables string
	ledger    bool
}

func newLintCommand() *cobra.Command {
	var flags lintFlags
	cmd := &cobra.Command{
		Use:   "lint [FILES or -]",
		Short: "judge migrations that are SQL files, by the rules of the proxy",
		Long: `Judge SQL files by the rules that the proxy has, and run nothing. FILES are files,
directories (every *.sql below), or patterns with *, ? and **; "-" is standard input.

Whether a statement runs inside a transaction decides much, and each migration tool has its
own way: a file that says whose it is, by its annotations or its name, is read as that tool
runs it, the up part and the down part; any other as psql would. --tool says it for all files.
What the files themselves make is new, up to its first large fill.

Without --dsn or --stats no table's size is known, and the report names the fact that would
decide. A comment before or in a statement takes a finding out of force, and needs a reason:
  -- pgsluice:allow index-not-concurrent reason="ten rows"

Exit status: 0 nothing found, 1 findings, 2 a mistake in the command line or a file that could
not be read or parsed. --fail-on block counts only what the proxy would refuse.`,
		Example: `  pgsluice lint db/migrations
  pgsluice lint --since origin/main --format github db/migrations
  pgsluice lint --stats stats.json --fail-on block "migrations/**/*.up.sql"
  alembic upgrade head --sql | pgsluice lint --tool alembic -`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			err := flags.run(cmd, args)
			var usage *usageError
			var config configErrors
			if err == nil || err == errFound || err == errUnread || errors.As(err, &usage) || errors.As(err, &config) {
				return err
			}
			return &notRun{err}
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.config, "config", "", "take the rules' actions, small_table and the rest from the configuration in `FILE`")
	f.StringArrayVar(&flags.rules, "rules", nil, "set a rule to block, rewrite, warn or off: `NAME=ACTION`; may be given several times")
	f.StringVar(&flags.dsn, "dsn", "", "ask the server at `DSN` about sizes, columns, constraints and indexes; nothing is written")
	f.StringVar(&flags.stats, "stats", "", "take them from `FILE`, which pgsluice stats export wrote")
	f.StringVar(&flags.pgVersion, "pg-version", "", "judge for PostgreSQL `N` where no server says")
	f.StringVar(&flags.tool, "tool", "", "read all files as the migration tool `NAME` runs them: "+strings.Join(toolNames(), ", "))
	f.StringVar(&flags.format, "format", "human", "report as human, json, sarif, github, gitlab or junit")
	f.StringVar(&flags.failOn, "fail-on", "warn", "exit with 1 at the verdict `ACTION` or a stricter one: warn, rewrite, block, or never")
	f.StringVar(&flags.since, "since", "", "only files that changed since the git revision `REF` (since it and HEAD parted)")
	f.StringVar(&flags.stdinName, "stdin-name", "<stdin>", "what standard input is called in the report, and to tell the tool by")
	f.StringVar(&flags.newTables, "new-tables", "run", "a table is new in the `run` that makes it, or only in its own file: run or file")
	f.BoolVar(&flags.ledger, "ledger", false, "judge as where the ledger is installed, so that the proxy can defer work behind COMMIT")
	return cmd
}

func toolNames() []string {
	var names []string
	for _, tool := range lint.Tools() {
		names = append(names, tool.Name)
	}
	slices.Sort(names)
	return names
}

// run judges the files and writes the report.
func (f *lintFlags) run(cmd *cobra.Command, args []string) error {
	threshold, err := f.threshold()
	if err != nil {
		return err
	}
	write, ok := lint.Formats()[f.format]
	if !ok && f.format != "human" {
		return oneOf("--format", f.format, append(slices.Collect(maps.Keys(lint.Formats())), "human"))
	}
	judge, done, err := f.judge(cmd.Context())
	if err != nil {
		return err
	}
	defer done()
	sources, problems, notRead, err := f.sources(cmd, args)
	if err != nil {
		return err
	}
	report, err := judge.Files(cmd.Context(), sources)
	if err != nil {
		return err
	}
	report.Problems = append(problems, report.Problems...)
	report.NotRead = notRead
	out := cmd.OutOrStdout()
	if write != nil {
		err = write(out, report, judge.Rules.Rules())
	} else {
		err = lint.Human(out, report, lint.Style{Color: wantsColor(out), Known: judge.Knowledge != nil})
	}
	switch {
	case err != nil:
		return fmt.Errorf("cannot write the report: %w", err)
	case len(report.Problems) > 0:
		return errUnread
	case report.Failed(threshold) > 0:
		return errFound
	}
	return nil
}

// threshold is the mildest verdict that fails.
func (f *lintFlags) threshold() (policy.Action, error) {
	lowest := policy.Block + 1
	for word := range strings.SplitSeq(f.failOn, ",") {
		if word == "never" && f.failOn == "never" {
			return lowest, nil
		}
		action, err := policy.ParseAction(word)
		if err != nil || action == policy.Off {
			return 0, oneOf("--fail-on", word, []string{"block", "never", "rewrite", "warn"})
		}
		lowest = min(lowest, action)
	}
	return lowest, nil
}

// oneOf is the error of a flag whose value is none of those that it takes.
func oneOf(flag, value string, allowed []string) error {
	slices.Sort(allowed)
	last := len(allowed) - 1
	hint := ""
	if near := nearest(value, allowed); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &usageError{message: fmt.Sprintf("%s must be %s or %s, not %q", flag, strings.Join(allowed[:last], ", "), allowed[last], value), hint: hint}
}

// judge puts together what the files are judged by. done lets go of it.
func (f *lintFlags) judge(ctx context.Context) (judge *lint.Judge, done func(), err error) {
	var set []assignment
	for _, rule := range f.rules {
		name, action, ok := strings.Cut(rule, "=")
		if !ok {
			return nil, nil, &usageError{message: "--rules must be NAME=ACTION", hint: "write --rules index-not-concurrent=off"}
		}
		set = append(set, assignment{path: "rules." + name, value: action, origin: "--rules"})
	}
	config, _, err := source{file: f.config, environ: os.Environ(), flags: set}.load(knownRule)
	if err != nil {
		return nil, nil, err
	}
	judge = &lint.Judge{Ledger: f.ledger && config.Deferred.Enabled, Anybody: true, Now: time.Now(), PerFile: f.newTables == "file"}
	if f.newTables != "file" && f.newTables != "run" {
		return nil, nil, oneOf("--new-tables", f.newTables, []string{"file", "run"})
	}
	if judge.Rules, err = judgedBy(config); err != nil {
		return nil, nil, err
	}
	if f.tool != "" {
		if judge.Tool = lint.ToolNamed(f.tool); judge.Tool == nil {
			return nil, nil, oneOf("--tool", f.tool, toolNames())
		}
	}
	if f.pgVersion != "" {
		var ok bool
		if judge.Version, ok = lint.ParseVersion(f.pgVersion); !ok {
			return nil, nil, &usageError{message: "--pg-version must be a version of PostgreSQL", hint: "write --pg-version 16"}
		}
	}
	done, err = f.ask(ctx, judge, config)
	return judge, done, err
}

// ask gives the judge its facts.
func (f *lintFlags) ask(ctx context.Context, judge *lint.Judge, config Config) (done func(), err error) {
	switch {
	case f.dsn != "" && f.stats != "":
		return nil, &usageError{message: "--dsn and --stats are two sources of the same facts", hint: "leave one out"}
	case f.stats != "":
		judge.Knowledge, err = readStats(f.stats)
	case f.dsn != "":
		live, err := askServer(ctx, f.dsn)
		if err != nil {
			return nil, err
		}
		judge.Knowledge = live
		if !judge.Ledger && config.Deferred.Enabled {
			if judge.Ledger, err = canDefer(ctx, f.dsn); err != nil {
				live.close()
				return nil, err
			}
		}
		return live.close, nil
	}
	return func() {}, err
}

// sources reads what the arguments name.
func (f *lintFlags) sources(cmd *cobra.Command, args []string) (sources []*lint.Source, problems []lint.Problem, notRead []string, err error) {
	if len(args) == 0 && f.since != "" {
		args = []string{"."}
	}
	if len(args) == 0 {
		return nil, nil, nil, &usageError{message: "name the files to judge, or - for standard input", hint: "pgsluice lint db/migrations"}
	}
	if slices.Contains(args, "-") {
		if len(args) > 1 || f.since != "" {
			return nil, nil, nil, &usageError{message: "- stands alone: standard input is one file", hint: "pgsluice lint - < migration.sql"}
		}
		text, err := io.ReadAll(cmd.InOrStdin())
		if err != nil {
			return nil, nil, nil, fmt.Errorf("cannot read standard input: %w", err)
		}
		s, err := lint.NewSource(f.stdinName, string(text))
		if err != nil {
			return nil, []lint.Problem{{Path: f.stdinName, Message: err.Error()}}, nil, nil
		}
		return []*lint.Source{s}, nil, nil, nil
	}
	found, err := lint.Find(args)
	if err != nil {
		return nil, nil, nil, &usageError{message: err.Error()}
	}
	if f.since != "" {
		if found.Paths, err = lint.Since(cmd.Context(), f.since, found.Paths); err != nil {
			return nil, nil, nil, &usageError{message: err.Error()}
		}
	}
	for _, path := range found.Paths {
		s, err := lint.Open(path)
		if err != nil {
			problems = append(problems, lint.Problem{Path: path, Message: err.Error()})
			continue
		}
		sources = append(sources, s)
	}
	return sources, problems, found.NotRead, nil
}

// wantsColor reports whether w is a terminal whose user has not asked for none (no-color.org).
func wantsColor(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
