package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/facts"
)

func newStatsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:                   "stats",
		Short:                 "write down what is known of a database's tables, for lint --stats",
		Long:                  `Write down what is known of a database's tables, so that lint can judge where the database cannot be reached.`,
		Example:               `  pgsluice stats export --dsn "host=db.internal dbname=app user=app" > stats.json`,
		Args:                  noArguments,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		DisableFlagsInUseLine: true,
	}
	cmd.AddCommand(newStatsExportCommand())
	return cmd
}

func newStatsExportCommand() *cobra.Command {
	var dsn string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "write it to standard output",
		Long: `Write to standard output what is known of every table that the login may see: estimated rows,
size, columns, constraints and indexes, as JSON. It holds no row of any table and no password;
names, types and definitions (of checks, for instance) are in it. Only questions are
asked, none waits for a lock. Give the file to CI in the place of a password:

  pgsluice lint --stats stats.json db/migrations`,
		Example: `  pgsluice stats export --dsn "host=db.internal dbname=app user=app" > stats.json`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dsn == "" {
				return &usageError{message: cmd.CommandPath() + " needs a server to ask", hint: `write --dsn "host=db.internal dbname=app user=app"`}
			}
			live, err := askServer(cmd.Context(), dsn)
			if err != nil {
				return err
			}
			defer live.close()
			snapshot, err := facts.Export(cmd.Context(), live)
			if err != nil {
				return err
			}
			if err := snapshot.Write(cmd.OutOrStdout()); err != nil {
				return fmt.Errorf("cannot write the stats: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&dsn, "dsn", "", "ask the server at `DSN`, directly")
	return cmd
}
