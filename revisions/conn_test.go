package revisions

import (
	"context"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// session is a Conn over pgx, as cmd has one.
type session struct {
	t testing.TB
	*pgx.Conn
}

// connect opens a session in the database of dsn, as the login that dsn names.
func connect(t testing.TB, dsn string) session {
	t.Helper()
	return session{t, pgtest.Connect(t, dsn)}
}

func (s session) read(ctx context.Context, sql string, args []string) ([]string, string, error) {
	values := make([][]byte, len(args))
	for i, arg := range args {
		values[i] = []byte(arg)
	}
	result := s.PgConn().ExecParams(ctx, sql, values, nil, nil, nil).Read()
	var column []string
	for _, row := range result.Rows {
		if len(row) > 0 {
			column = append(column, string(row[0]))
		}
	}
	return column, result.CommandTag.String(), result.Err
}

func (s session) Exec(ctx context.Context, sql string, args ...string) (string, error) {
	_, tag, err := s.read(ctx, sql, args)
	return tag, err
}

func (s session) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	column, _, err := s.read(ctx, sql, args)
	return column, err
}

func (s session) TxStatus() byte { return s.PgConn().TxStatus() }

func (s session) InTx(ctx context.Context, f func(context.Context) error) error {
	if _, err := s.Exec(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"); err != nil {
		return err
	}
	if err := f(ctx); err != nil {
		if _, rollback := s.Exec(ctx, "ROLLBACK"); rollback != nil {
			s.t.Errorf("cannot roll back: %v", rollback)
		}
		return err
	}
	_, err := s.Exec(ctx, "COMMIT")
	return err
}

// run runs statements, one by one, that must succeed.
func (s session) run(statements ...string) {
	s.t.Helper()
	for _, sql := range statements {
		if _, err := s.Exec(s.t.Context(), sql); err != nil {
			s.t.Fatalf("%s: %v", sql, err)
		}
	}
}

// ask runs a query that must succeed, and returns the first column.
func (s session) ask(sql string, args ...string) []string {
	s.t.Helper()
	column, err := s.Query(s.t.Context(), sql, args...)
	if err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
	return column
}

// refuses runs a statement that must fail with the SQLSTATE.
func (s session) refuses(state, sql string, args ...string) {
	s.t.Helper()
	_, err := s.Query(s.t.Context(), sql, args...)
	if err == nil {
		s.t.Fatalf("%s: succeeded, want SQLSTATE %s", sql, state)
	}
	if got := sqlState(err); got != state {
		s.t.Fatalf("%s: got %v, want SQLSTATE %s", sql, err, state)
	}
}

var _ Conn = session{}

// runBare is run for a cleanup, when the test's context is over.
func (s session) runBare(sql string) {
	s.t.Helper()
	if _, err := s.Exec(context.Background(), sql); err != nil {
		s.t.Errorf("%s: %v", sql, err)
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func number64(t testing.TB, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
