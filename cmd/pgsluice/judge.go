package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/lint"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
	"github.com/pgsluice/pgsluice/revisions"
)

// judgedBy is the configuration's rules. The override of somebody whose login is not known counts.
func judgedBy(config Config) (*policy.Set, error) {
	settings, err := policySettings(config)
	if err != nil {
		return nil, err
	}
	settings.OverrideRoles = append([]string{""}, settings.OverrideRoles...)
	return policy.NewSet(rules.All(), settings)
}

// liveFacts are those of a server, as one login sees it. Only questions are asked.
type liveFacts struct {
	conn *pgconn.PgConn
	path []string // the search path that was set; nil is the login's own
}

// askServer connects. The caller closes it. Names mean what they mean to this login: unlike a control connection this one keeps its
// search_path.
func askServer(ctx context.Context, login string) (*liveFacts, error) {
	if _, err := pgconn.ParseConfig(login); err != nil {
		return nil, errUnreadableDSN
	}
	conn, err := pgconn.Connect(ctx, login)
	if err != nil {
		return nil, unreachable(err)
	}
	return &liveFacts{conn: conn}, nil
}

func (l *liveFacts) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.conn.Close(ctx) // the server ends the session either way
}

// Known implements lint.Knowledge.
func (l *liveFacts) Known(ctx context.Context, wanted []facts.Wanted, searchPath []string) (facts.Facts, error) {
	if strings.Join(searchPath, "\x00") != strings.Join(l.path, "\x00") {
		question := "SELECT pg_catalog.set_config('search_path', $1, false)"
		quoted := make([]string, len(searchPath))
		for i, schema := range searchPath {
			quoted[i] = facts.QuoteIdent(schema)
		}
		arguments := []string{strings.Join(quoted, ", ")}
		if searchPath == nil {
			question, arguments = "RESET search_path", nil
		}
		if _, err := l.Query(ctx, question, arguments...); err != nil {
			return facts.Facts{}, err
		}
		l.path = searchPath
	}
	return facts.Read(ctx, l, wanted)
}

// Query implements facts.Querier.
func (l *liveFacts) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	values := make([][]byte, len(args))
	for i, arg := range args {
		values[i] = []byte(arg)
	}
	result := l.conn.ExecParams(ctx, sql, values, nil, nil, nil).Read()
	column := make([]string, len(result.Rows))
	for i, row := range result.Rows {
		column[i] = string(row[0])
	}
	return column, result.Err
}

// explaining is the name of a statement while it is explained.
const explaining = "pgsluice_explained"

// Explain implements facts.Explainer. The values of parameters are not known, so that it is the plan for any.
func (l *liveFacts) Explain(ctx context.Context, statement string) (plan []string, err error) {
	prepared, err := l.conn.Prepare(ctx, explaining, statement, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.conn.Deallocate(ctx, explaining)) }()
	if len(prepared.ParamOIDs) == 0 {
		return l.Query(ctx, facts.ExplainSQL+statement)
	}
	if _, err := l.Query(ctx, "SELECT pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', false)"); err != nil {
		return nil, err
	}
	none := strings.TrimSuffix(strings.Repeat("NULL, ", len(prepared.ParamOIDs)), ", ")
	return l.Query(ctx, facts.ExplainSQL+"EXECUTE "+explaining+"("+none+")")
}

// StatisticsOpen implements facts.Explainer.
func (l *liveFacts) StatisticsOpen(ctx context.Context) (bool, error) {
	rows, err := l.Query(ctx, facts.StatisticsOpenSQL)
	return err == nil && rows[0] == "t", err
}

// snapshotFacts are those of a file.
type snapshotFacts struct{ *facts.Snapshot }

// readStats reads what pgsluice stats export wrote.
func readStats(name string) (lint.Knowledge, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, &usageError{message: "cannot read the stats: " + err.Error()}
	}
	defer file.Close()
	snapshot, err := facts.ReadSnapshot(file)
	if err != nil {
		return nil, &usageError{message: "cannot read the stats in " + name + ": " + err.Error(), hint: "pgsluice stats export --dsn DSN > " + name}
	}
	return snapshotFacts{snapshot}, nil
}

// Known implements lint.Knowledge.
func (s snapshotFacts) Known(_ context.Context, wanted []facts.Wanted, searchPath []string) (facts.Facts, error) {
	if searchPath == nil {
		searchPath = s.Facts.SearchPath
	}
	return s.Snapshot.Known(wanted, searchPath), nil
}

// canDefer reports whether the database has a ledger that a proxy can work with.
func canDefer(ctx context.Context, login string) (bool, error) {
	conn, err := connect(ctx, login)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	_, err = revisions.Open(ctx, conn)
	return err == nil || errors.Is(err, revisions.ErrKeyUnreadable), nil
}
