// Command bench measures what pgsluice costs and what it saves, on a throwaway Postgres of its own.
//
//	go run ./bench relay          its cost for traffic that it does not touch, beside haproxy and pgbouncer
//	go run ./bench availability   how long an application waits while its schema is changed
//	go run ./bench decision       what judging a schema change takes in a database with many tables
//	go run ./bench ledger         what writing schema changes down costs
//	go run ./bench bulk           what one large UPDATE does, as it is, in batches, and by hand
//
// Each names its goals and says which were reached; its exit status is 1 if one was missed. README.md explains the figures.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// errMissed is a measurement that went well and missed a goal, which has been printed.
var errMissed = errors.New("a goal was missed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := newCommand().ExecuteContext(ctx)
	if ctx.Err() != nil {
		err = errors.New("interrupted, nothing is left behind")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "bench",
		Short:         "measure what pgsluice costs and what it saves",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(newRelayCommand(), newAvailabilityCommand(), newContentionCommand(), newDecisionCommand(), newLedgerCommand(), newWriteCommand())
	return root
}

// progress is where a command says what it is doing; results go to standard output.
type progress struct{ io.Writer }

func (p progress) say(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }
