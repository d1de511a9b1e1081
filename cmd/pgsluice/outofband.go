package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/revisions"
)

func newOutOfBandCommand(flags *revisionFlags) *cobra.Command {
	var (
		filter revisions.ChangeFilter
		since  time.Duration
	)
	cmd := &cobra.Command{
		Use:   "out-of-band",
		Short: "list schema changes that no proxy has judged",
		Long: `List the schema changes that the server has seen and that no proxy has judged, newest
first: made on a connection that went round the proxy, by a function or trigger that a
statement has called, by a job of an extension, or while the proxy was in mode pass or
could not write into the ledger. It takes pgsluice install --event-trigger.

The server knows who, from where, and what was changed. The text is not kept: it might
hold a password.`,
		Example: `  pgsluice revisions out-of-band --since 24h --config config.yaml
  pgsluice revisions out-of-band --login alice --object app.orders --json --config config.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if filter.Limit < 0 || since < 0 {
				return &usageError{message: "--limit and --since must not be negative", hint: seeHelp(cmd)}
			}
			if since > 0 {
				filter.Since = time.Now().Add(-since).Format(time.RFC3339Nano)
			}
			filter.Tag = strings.ToUpper(filter.Tag)
			return listOutOfBand(cmd, flags, filter)
		},
	}
	cmd.Flags().StringVar(&filter.Login, "login", "", "only those of the `LOGIN`")
	cmd.Flags().StringVar(&filter.Tag, "command", "", "only those by the `COMMAND`: ALTER TABLE, DROP INDEX, …")
	cmd.Flags().StringVar(&filter.Object, "object", "", "only those of objects with `TEXT` in their name")
	cmd.Flags().DurationVar(&since, "since", 0, "only those within the last `TIME`: 24h")
	cmd.Flags().IntVar(&filter.Limit, "limit", 50, "at most so `MANY`; 0 for all")
	return cmd
}

func listOutOfBand(cmd *cobra.Command, flags *revisionFlags, filter revisions.ChangeFilter) error {
	conn, ledger, err := flags.open(cmd)
	if err != nil {
		return err
	}
	defer conn.Close()
	changes, err := ledger.Changes(cmd.Context(), filter)
	if err != nil {
		return err
	}
	watch, err := revisions.ReadWatch(cmd.Context(), conn)
	if err != nil {
		return err
	}
	if flags.asJSON {
		err = printJSON(cmd.OutOrStdout(), append([]revisions.Change{}, changes...))
	} else {
		err = printChanges(cmd.OutOrStdout(), changes)
	}
	if !watch.On() {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning: the server does not write down every schema change now: run pgsluice install --event-trigger (pgsluice check says more)")
	}
	return err
}

func printChanges(w io.Writer, changes []revisions.Change) error {
	if len(changes) == 0 {
		_, err := fmt.Fprintln(w, "There are none.")
		return err
	}
	for _, c := range changes {
		by := c.Login
		if c.Role != c.Login {
			by += " as " + c.Role
		}
		from := c.Client
		if from == "" {
			from = "a Unix socket"
		}
		fmt.Fprintf(w, "%s  %s\n", c.Changed.Format(time.RFC3339), c.Tag)
		fmt.Fprintf(w, "   by      %s from %s, %s\n", printable(by), printable(from), orDash(printable(c.Application)))
		for _, o := range c.Objects {
			verb := "changed"
			if c.Dropped {
				verb = "dropped"
			}
			fmt.Fprintf(w, "   %s %s\n", verb, strings.TrimSpace(o.Type+" "+printable(o.Identity)))
		}
		if c.Further > 0 {
			fmt.Fprintf(w, "   and     %s\n", plural(int(c.Further), "further object"))
		}
		if c.Session != "" {
			fmt.Fprintf(w, "   within  session %s of a proxy: by a function or trigger\n", printable(c.Session))
		}
		if c.LeftOut > 0 {
			fmt.Fprintf(w, "   behind  it %s more by %s within the hour, which are not kept\n", plural(int(c.LeftOut), "schema change"), printable(c.Login))
		}
	}
	return nil
}
