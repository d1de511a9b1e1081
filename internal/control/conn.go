// Package control holds the proxy's own logins: short-lived connections, one login in many databases, that keep the
// ledger, see who blocks whom, and finish what a crash left. They are never a client's.
package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/pgsluice/pgsluice/internal/run"
)

// connectPatience is how long a server may take to let us in.
const connectPatience = 10 * time.Second

// cancelGrace is how long a statement whose context is done may take to end on the server before its connection is cut.
const cancelGrace = 5 * time.Second

// Conn is one connection. It is used by one goroutine at a time. Unqualified names in it mean pg_catalog.
//
// When the context of a call is done the server is asked to cancel the statement, so that the connection stays good and the
// error has SQLSTATE 57014.
type Conn struct {
	pg       *pgconn.PgConn
	database string
	// asked are texts of Query with the name of the statement that each is prepared as, "" for one that was asked once; made counts the names.
	asked map[string]string
	made  int
}

// Connect opens one connection for a command. Each notice's primary message is handed to notice; nil drops them.
// The caller closes it.
func Connect(ctx context.Context, dsn string, notice func(message string)) (*Conn, error) {
	config, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	return connect(ctx, config, notice)
}

func parse(dsn string) (*pgconn.Config, error) {
	config, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("cannot read the DSN of the control connection: %w", err)
	}
	config.RuntimeParams["search_path"] = "pg_catalog, pg_temp"
	config.RuntimeParams["application_name"] = "pgsluice"
	config.BuildContextWatcherHandler = func(pg *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: pg, DeadlineDelay: cancelGrace}
	}
	return config, nil
}

func connect(ctx context.Context, config *pgconn.Config, notice func(string)) (*Conn, error) {
	config = config.Copy()
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if notice != nil {
			notice(n.Message)
		}
	}
	ctx, enough := context.WithTimeout(ctx, connectPatience)
	defer enough()
	pg, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("cannot open a control connection: %w", err)
	}
	return &Conn{pg: pg, database: config.Database}, nil
}

// Exec runs one statement with text parameters and returns its command tag.
func (c *Conn) Exec(ctx context.Context, sql string, args ...string) (string, error) {
	result := c.run(ctx, sql, args)
	return result.CommandTag.String(), result.Err
}

// Query runs one statement and returns the first column of each row as text; NULL is "". One that is asked again stays prepared.
func (c *Conn) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	result := c.again(ctx, sql, args)
	if result.Err != nil {
		return nil, result.Err
	}
	column := make([]string, len(result.Rows))
	for i, row := range result.Rows {
		if len(row) > 0 {
			column[i] = string(row[0])
		}
	}
	return column, nil
}

// run uses the unnamed statement of the extended protocol: the server takes no second statement in its text.
func (c *Conn) run(ctx context.Context, sql string, args []string) *pgconn.Result {
	return c.pg.ExecParams(ctx, sql, values(args), nil, nil, nil).Read()
}

func values(args []string) [][]byte {
	values := make([][]byte, len(args))
	for i, arg := range args {
		values[i] = []byte(arg)
	}
	return values
}

// maxAsked bounds how many texts are remembered.
const maxAsked = 64

// again runs a statement by its prepared form, which it gets when it is asked the second time.
func (c *Conn) again(ctx context.Context, sql string, args []string) *pgconn.Result {
	name, before := c.asked[sql]
	switch {
	case !before && len(c.asked) < maxAsked:
		if c.asked == nil {
			c.asked = map[string]string{}
		}
		c.asked[sql] = ""
		return c.run(ctx, sql, args)
	case !before:
		return c.run(ctx, sql, args)
	case name == "":
		c.made++
		name = fmt.Sprintf("asked_%d", c.made)
		if _, err := c.pg.Prepare(ctx, name, sql, nil); err != nil {
			return &pgconn.Result{Err: err}
		}
		c.asked[sql] = name
	}
	result := c.pg.ExecPrepared(ctx, name, values(args), nil, nil).Read()
	var failed *pgconn.PgError
	if errors.As(result.Err, &failed) && (failed.Code == invalidStatementName || failed.Code == featureNotSupported) {
		// A pooler in between has lost it, or a table that it reads has other columns now.
		delete(c.asked, sql)
		if c.TxStatus() == 'I' {
			return c.run(ctx, sql, args)
		}
	}
	return result
}

// What the server says when a prepared statement is gone, or cannot be used any more.
const (
	invalidStatementName = "26000"
	featureNotSupported  = "0A000"
)

// Chain runs statements one behind the other in one round trip, up to the first that fails, and returns the tags of those that
// succeeded. Outside of a transaction block they are one transaction.
func (c *Conn) Chain(ctx context.Context, sql ...string) (tags []string, err error) {
	batch := &pgconn.Batch{}
	for _, statement := range sql {
		batch.ExecParams(statement, nil, nil, nil, nil)
	}
	results, err := c.pg.ExecBatch(ctx, batch).ReadAll()
	for _, r := range results {
		if r.Err == nil {
			tags = append(tags, r.CommandTag.String())
		}
	}
	return tags, err
}

// Pipeline is Chain for statements with parameters, whose answers matter: those of the statements that succeeded.
func (c *Conn) Pipeline(ctx context.Context, calls ...run.Call) (answers []run.Answer, err error) {
	batch := &pgconn.Batch{}
	for _, call := range calls {
		values, oids, formats := make([][]byte, len(call.Params)), make([]uint32, len(call.Params)), make([]int16, len(call.Params))
		for i, p := range call.Params {
			values[i], oids[i], formats[i] = p.Value, p.OID, p.Format
		}
		for _, arg := range call.Args {
			values, formats = append(values, []byte(arg)), append(formats, 0)
		}
		batch.ExecParams(call.SQL, values, oids, formats, nil)
	}
	results, err := c.pg.ExecBatch(ctx, batch).ReadAll()
	for _, r := range results {
		if r.Err != nil {
			break
		}
		answer := run.Answer{Tag: r.CommandTag.String()}
		for _, row := range r.Rows {
			answer.Rows = append(answer.Rows, string(slices.Concat(row[:min(1, len(row))]...)))
		}
		answers = append(answers, answer)
	}
	return answers, err
}

// TxStatus is 'I' outside a transaction, 'T' in one and 'E' in a failed one.
func (c *Conn) TxStatus() byte { return c.pg.TxStatus() }

// InTx runs f in a transaction of its own, READ COMMITTED READ WRITE. An error of f rolls it back and is returned.
func (c *Conn) InTx(ctx context.Context, f func(context.Context) error) error {
	if c.TxStatus() != 'I' {
		return errors.New("cannot begin a transaction in a transaction")
	}
	if _, err := c.Exec(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"); err != nil {
		return err
	}
	if err := f(ctx); err != nil {
		c.rollback(ctx)
		return err
	}
	tag, err := c.Exec(ctx, "COMMIT")
	if err == nil && tag == "ROLLBACK" {
		return errors.New("the transaction was rolled back")
	}
	if err != nil && c.TxStatus() != 'I' { // a cancel may come before the COMMIT has begun
		c.rollback(ctx)
	}
	return err
}

// rollback ends the transaction, however often it is cancelled, or the connection if that is not possible: nothing of it stays.
func (c *Conn) rollback(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelGrace)
	defer cancel()
	for ctx.Err() == nil && !c.pg.IsClosed() {
		if _, err := c.Exec(ctx, "ROLLBACK"); err == nil {
			return
		}
	}
	c.Close()
}

// answers asks whether the server still does.
func (c *Conn) answers(ctx context.Context) bool {
	ctx, enough := context.WithTimeout(ctx, connectPatience)
	defer enough()
	_, err := c.Exec(ctx, "SELECT")
	return err == nil
}

// PID is the backend as the login named it, for cancel requests. A pooler in between names another one than pg_backend_pid() does.
func (c *Conn) PID() uint32 { return c.pg.PID() }

// Close ends the connection.
func (c *Conn) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), cancelGrace)
	defer cancel()
	_ = c.pg.Close(ctx) // the server ends the session either way
}
