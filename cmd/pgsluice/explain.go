package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/lint"
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
		Long: `Say what pgsluice would make of a statement, or of several: the verdict, why, what is locked
and who waits, and what would run in its place. Nothing is run. "-" reads the statements from
standard input.

With --dsn the facts are those of that server, as that login sees them; without it they
are not known, and the verdict says which fact would decide it. --in-transaction judges as
inside a transaction; a BEGIN among the statements does the same for what follows.`,
		Example: `  pgsluice explain "CREATE INDEX ON orders (customer_id)"
  pgsluice explain --in-transaction --dsn "host=db.internal dbname=app user=app" - < migration.sql`,
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
			judge, done, err := explainingJudge(cmd.Context(), &flags)
			if err != nil {
				return err
			}
			defer done()
			report, err := judge.Text(cmd.Context(), text, inTx)
			if err != nil {
				return fmt.Errorf("cannot judge the text: it %w", err)
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return printJSON(out, report.Judged)
			}
			return lint.Explain(out, report, lint.Style{Color: wantsColor(out), Known: judge.Knowledge != nil})
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&inTx, "in-transaction", false, "judge as inside a transaction")
	cmd.Flags().BoolVar(&inTx, "tx", false, "")
	_ = cmd.Flags().MarkHidden("tx") // it exists
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// explainingJudge judges as the proxy would, which has the configuration and, if the flags name one, the server. done lets go of that.
func explainingJudge(ctx context.Context, flags *ledgerFlags) (judge *lint.Judge, done func(), err error) {
	config, _, err := source{file: flags.file, environ: os.Environ()}.load(knownRule)
	if err != nil {
		return nil, nil, err
	}
	judge = &lint.Judge{Ledger: config.Deferred.Enabled, Live: true, Now: time.Now()}
	if judge.Rules, err = judgedBy(config); err != nil {
		return nil, nil, err
	}
	login := flags.dsn
	if login == "" && flags.file != "" {
		login = string(config.Control.DSN)
	}
	if login == "" {
		return judge, func() {}, nil
	}
	if login, err = inDatabase(login, flags.database); err != nil {
		return nil, nil, err
	}
	installed, err := canDefer(ctx, login)
	if err != nil {
		return nil, nil, err
	}
	judge.Ledger = judge.Ledger && installed
	live, err := askServer(ctx, login)
	if err != nil {
		return nil, nil, err
	}
	judge.Knowledge = live
	return judge, live.close, nil
}
