package main

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/revisions"
)

// ledgerFlags say which ledger a command works with.
type ledgerFlags struct {
	dsn      string // "" takes control.dsn of the configuration
	file     string // the configuration; "" for none
	database string // "" is the one that the connection string names
}

func (f *ledgerFlags) register(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&f.dsn, "dsn", "", "connect with `DSN`, directly to Postgres, as the control role or a superuser")
	cmd.PersistentFlags().StringVar(&f.file, "config", "", "connect with control.dsn of the configuration in `FILE`")
	cmd.PersistentFlags().StringVar(&f.database, "database", "", "use the database `NAME` instead of the one in the connection string")
}

// login is the connection string to use.
func (f *ledgerFlags) login(cmd *cobra.Command) (string, error) {
	if f.dsn != "" {
		return inDatabase(f.dsn, f.database)
	}
	config, _, err := f.config()
	if err != nil {
		return "", err
	}
	if config.Control.DSN == "" {
		return "", &usageError{
			message: cmd.CommandPath() + " needs a server to ask",
			hint:    `write --dsn "host=db.internal dbname=app user=postgres", or --config FILE with a control.dsn in it`,
		}
	}
	return inDatabase(string(config.Control.DSN), f.database)
}

// inDatabase is a connection string with another database; "" leaves it as it is.
func inDatabase(login, database string) (string, error) {
	if database == "" {
		return login, nil
	}
	if !strings.HasPrefix(login, "postgres://") && !strings.HasPrefix(login, "postgresql://") {
		quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
		return login + " dbname='" + quote.Replace(database) + "'", nil
	}
	u, err := url.Parse(login)
	if err != nil {
		return "", errUnreadableDSN
	}
	query := u.Query()
	query.Del("dbname")
	u.Path, u.RawPath, u.RawQuery = "/"+database, "", query.Encode()
	return u.String(), nil
}

// config is the configuration that the environment and the file make.
func (f *ledgerFlags) config() (Config, []unknownVariable, error) {
	return source{file: f.file, environ: os.Environ()}.load(knownRule)
}

// open connects and opens the ledger of that database. The caller closes the connection.
func (f *ledgerFlags) open(ctx context.Context, cmd *cobra.Command) (*control.Conn, *revisions.Ledger, error) {
	login, err := f.login(cmd)
	if err != nil {
		return nil, nil, err
	}
	conn, err := connect(ctx, login)
	if err != nil {
		return nil, nil, err
	}
	ledger, err := revisions.Open(ctx, conn)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, ledger, nil
}

// connect opens one connection for a command. Its error does not show the connection string.
func connect(ctx context.Context, server string) (*control.Conn, error) {
	if _, err := pgconn.ParseConfig(server); err != nil {
		return nil, errUnreadableDSN
	}
	conn, err := control.Connect(ctx, server, nil)
	if err != nil {
		return nil, unreachable(err)
	}
	return conn, nil
}

// unreachable is the error of a connection string that leads nowhere. The driver tells each of its attempts in a line.
func unreachable(err error) error {
	return &failure{err: errors.New(oneLine(err.Error())), hint: "psql with the same connection string says more"}
}

// errUnreadableDSN leaves out the parser's own error, which quotes parts of the string: one of them may be the password.
var errUnreadableDSN = &usageError{
	message: "the connection string cannot be read",
	hint:    `write it like postgres://app@db.internal:5432/app or "host=db.internal user=app dbname=app"; psql says what is wrong with it`,
}

// errUnfinished is the error of a command that has done its own work and found that more is left. Nothing is printed for it: the
// command has said so.
var errUnfinished = errors.New("something is left to do")
