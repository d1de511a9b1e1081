// Command pgsluice puts a Postgres wire-protocol proxy in front of a server so that schema changes are safe.
//
// Each subcommand is one file. Everything is wired together here and nowhere else: the other packages receive what
// they need and read neither flags, nor the environment, nor the configuration file.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	_ "time/tzdata" // conditions may name time zones, and the image has none

	"github.com/spf13/cobra"
)

// Exit statuses. A script may rely on them.
const (
	exitFailure = 1 // something went wrong while running, or something was found
	exitUsage   = 2 // the command line, the configuration, the environment or a file to read is wrong; nothing was started
)

func main() {
	os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr))
}

// execute carries out one command line and returns the exit status.
func execute(args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return 0
	}
	switch {
	case errors.Is(err, errUnfinished), errors.Is(err, errFound):
		return exitFailure
	case errors.Is(err, errUnread):
		return exitUsage
	}
	printError(stderr, err)
	var notRun *notRun
	var usage *usageError
	var config configErrors
	if errors.As(err, &usage) || errors.As(err, &config) || errors.As(err, &notRun) {
		return exitUsage
	}
	return exitFailure
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "pgsluice",
		Short: "a Postgres proxy that makes schema changes safe",
		Long: `pgsluice is a Postgres wire-protocol proxy for schema changes.

Point a migration tool at it instead of at Postgres and change nothing else. What is
harmless goes straight through; what would lock out or break production is rewritten
into its safe form, or refused with the exact recipe to use instead.`,
		Example: `  pgsluice serve --listen 127.0.0.1:6432 --upstream db.internal:5432
  psql "host=127.0.0.1 port=6432 dbname=app"`,
		Args:                  noArguments,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors:         true,
		SilenceUsage:          true,
		DisableFlagsInUseLine: true,
		CompletionOptions:     cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{message: err.Error(), hint: seeHelp(cmd)}
	})
	root.AddCommand(newServeCommand(), newInstallCommand(), newCheckCommand(), newLintCommand(), newExplainCommand(), newRulesCommand(),
		newStatsCommand(), newJobsCommand(), newRevisionsCommand(), newAuditCommand(), newTryCommand(), newVersionCommand())
	return root
}

// noArguments is the argument check of a command that takes flags only. On the root command it meets unknown subcommands.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasParent() {
		return &usageError{message: fmt.Sprintf("%s takes no argument, but got %q", cmd.CommandPath(), args[0]), hint: seeHelp(cmd)}
	}
	hint := seeHelp(cmd)
	var names []string
	for _, command := range cmd.Commands() {
		names = append(names, command.Name())
	}
	if near := didYouMean(args[0], names); near != "" {
		hint = near
	}
	return &usageError{message: fmt.Sprintf("unknown command %q", args[0]), hint: hint}
}

func seeHelp(cmd *cobra.Command) string {
	return fmt.Sprintf("run %s --help", cmd.CommandPath())
}
