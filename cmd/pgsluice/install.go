package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/revisions"
)

func newInstallCommand() *cobra.Command {
	var (
		server  string
		options revisions.InstallOptions
		also    afterInstall
	)
	cmd := &cobra.Command{
		Use:   "install --dsn DSN",
		Short: "make or upgrade the ledger in a database",
		Long: `Make the schema pgsluice (the ledger) in a database, or bring it up to date. Without it
nothing can be deferred behind a COMMIT, and such statements are refused inside a
transaction.

It may be run again at any time, and then also repairs functions and privileges. It is
one transaction: an error leaves nothing behind. It needs a superuser, or the rights that
it names when they are missing.

--control-role is the login that the proxies have in control.dsn. Without it only
superusers may work with the ledger.

--event-trigger has the server itself write down every schema change, so that those that
went round the proxy, or were made by a function, show: pgsluice revisions out-of-band
lists them. It makes two event triggers, which needs a superuser, or the role that a
managed service has in its place; the server is asked. They never fail a statement.
--event-trigger=false removes them; without it they stay as they are.`,
		Example: `  pgsluice install --dsn "host=db.internal dbname=app user=postgres" --control-role pgsluice
  pgsluice install --dsn "host=db.internal dbname=app user=postgres" --rotate-key`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if server == "" {
				return &usageError{message: "--dsn is missing", hint: `write --dsn "host=db.internal dbname=app user=postgres"`}
			}
			also.setTriggers = cmd.Flags().Changed("event-trigger")
			return install(cmd.Context(), server, options, also, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&server, "dsn", "", "connect with `DSN`, directly to Postgres")
	cmd.Flags().StringVar(&options.ControlRole, "control-role", "", "the login of the proxies is `ROLE`")
	cmd.Flags().BoolVar(&options.Published, "published", false, "every subscriber of a publication FOR ALL TABLES has the ledger already")
	cmd.Flags().BoolVar(&also.triggers, "event-trigger", false, "also have the server write down every schema change; =false: no longer")
	cmd.Flags().BoolVar(&also.rotateKey, "rotate-key", false, "also retire the key that signs promises, and make another")
	return cmd
}

// afterInstall is what install does behind the installation itself.
type afterInstall struct {
	rotateKey bool
	// triggers is whether there are to be event triggers, if setTriggers; else they stay as they are.
	triggers, setTriggers bool
}

func install(ctx context.Context, server string, options revisions.InstallOptions, also afterInstall, out io.Writer) error {
	conn, err := connect(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close()
	report, err := revisions.Install(ctx, conn, options)
	if err != nil {
		return explainInstall(err)
	}
	if err := printInstall(out, report); err != nil {
		return err
	}
	if also.setTriggers {
		if err := setEventTriggers(ctx, conn, also.triggers, out); err != nil {
			return err
		}
	}
	if !also.rotateKey {
		return nil
	}
	id, err := revisions.RotateKey(ctx, conn)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nThe key was rotated: key %d signs from now on. Proxies use it from their next transaction.\n", id)
	return err
}

// setEventTriggers has the server write down schema changes, or no longer.
func setEventTriggers(ctx context.Context, conn revisions.Conn, on bool, out io.Writer) error {
	err := revisions.SetEventTriggers(ctx, conn, on)
	var refused *revisions.EventTriggerError
	switch {
	case errors.As(err, &refused):
		return &failure{err: err, hint: "the ledger itself is installed; run this as a superuser, or have the statements run in the same database by one, or by the role that your service has in its place"}
	case err != nil:
		return explainInstall(err)
	case on:
		_, err = fmt.Fprintln(out, "\nThe server writes down every schema change (event triggers pgsluice_changed and\npgsluice_dropped). What no proxy has judged: pgsluice revisions out-of-band.\nA dump of the whole database has the event triggers in it: restore them last, and only\nwhere the ledger is.")
	default:
		_, err = fmt.Fprintln(out, "\nThe server does not write down schema changes (there are no event triggers of pgsluice).")
	}
	return err
}

// explainInstall adds what to do about an error.
func explainInstall(err error) error {
	var missing *revisions.MissingRightsError
	switch {
	case errors.As(err, &missing):
		return &failure{err: err, hint: "run this as a superuser, or let one run these statements in the same database first"}
	case errors.Is(err, revisions.ErrUnsafe):
		return &failure{err: err, hint: "somebody else made this; nothing was changed"}
	}
	return err
}

func printInstall(w io.Writer, report revisions.Report) error {
	switch report.From {
	case report.To:
		fmt.Fprintf(w, "The ledger is up to date (version %d).\n", report.To)
	case 0:
		fmt.Fprintf(w, "The ledger is installed (version %d).\n", report.To)
	default:
		fmt.Fprintf(w, "The ledger was upgraded from version %d to %d.\n", report.From, report.To)
	}
	if report.ControlRole == "" {
		fmt.Fprintln(w, "\nThere is no control role: only superusers may work with the ledger. To name the login of\nthe proxies, run this again with --control-role ROLE.")
	} else {
		fmt.Fprintf(w, "\nControl role: %s. Put its connection string into control.dsn.\n", report.ControlRole)
	}
	fmt.Fprintln(w, "\nThese are trusted with the ledger, since nothing can keep them out:")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, t := range report.Trusted {
		fmt.Fprintf(table, "  %s\t%s\n", t.Role, t.Why)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, note := range report.Notes {
		fmt.Fprintf(w, "\n%s\n", note)
	}
	return nil
}
