package compat

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/revisions"
)

// record is what the ledger of a database says. It is asked in this process: a program would be started for each question.
type record struct{ *revisions.Ledger }

// record opens the ledger.
func (db *database) record(t *testing.T) record {
	t.Helper()
	ledger, err := revisions.Open(t.Context(), ledgerConn{db.admin})
	if err != nil {
		t.Fatal(err)
	}
	return record{ledger}
}

// ledgerConn is a connection as the ledger wants it.
type ledgerConn struct{ *pgx.Conn }

func (c ledgerConn) read(ctx context.Context, sql string, args []string) ([]string, string, error) {
	values := make([][]byte, len(args))
	for i, arg := range args {
		values[i] = []byte(arg)
	}
	result := c.PgConn().ExecParams(ctx, sql, values, nil, nil, nil).Read()
	var column []string
	for _, row := range result.Rows {
		if len(row) > 0 {
			column = append(column, string(row[0]))
		}
	}
	return column, result.CommandTag.String(), result.Err
}

func (c ledgerConn) Exec(ctx context.Context, sql string, args ...string) (string, error) {
	_, tag, err := c.read(ctx, sql, args)
	return tag, err
}

func (c ledgerConn) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	column, _, err := c.read(ctx, sql, args)
	return column, err
}

func (c ledgerConn) TxStatus() byte { return c.PgConn().TxStatus() }

func (c ledgerConn) InTx(ctx context.Context, f func(context.Context) error) error {
	tx, err := c.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx) // unless it is committed
	if err := f(ctx); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// revisions are those that the ledger lists, oldest first.
func (r record) revisions(t *testing.T) []revisions.RevisionRow {
	t.Helper()
	if _, err := r.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := r.Revisions(t.Context(), revisions.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(all)
	return all
}

// checkCommand reports when pgsluice revisions does not print what the ledger lists.
func (r record) checkCommand(t *testing.T, db *database) {
	t.Helper()
	printed := db.pgsluice(t, "revisions", "list", "--json", "--limit", "0").succeeded(t, "pgsluice revisions list").output
	var all []revisions.RevisionRow
	if err := json.Unmarshal([]byte(printed), &all); err != nil {
		t.Fatalf("cannot read what pgsluice revisions list prints: %v\n%s", err, printed)
	}
	slices.Reverse(all)
	line := func(r revisions.RevisionRow) string {
		return fmt.Sprintf("%d %s %s %s %s, %d statements", r.ID, r.Tool, r.Direction, r.Revision, r.State, r.Work.Statements)
	}
	listed := r.revisions(t)
	for i := range max(len(all), len(listed)) {
		if i >= len(all) || i >= len(listed) || line(all[i]) != line(listed[i]) {
			t.Fatalf("pgsluice revisions list has %d revisions, the ledger %d, and they differ at number %d:\n%s", len(all), len(listed), i+1, printed)
		}
	}
}

// checkApplied reports when the revisions that the ledger has seen go up and not come down are not those that the tool's own table lists.
func (m migrator) checkApplied(t *testing.T, kept record, where string, want []string) {
	t.Helper()
	applied := map[string]bool{}
	for _, r := range kept.revisions(t) {
		if r.Tool != m.ledgerName() {
			t.Errorf("%s: the ledger has revision %q of %s", where, r.Revision, r.Tool)
		}
		if r.State != "applied" {
			continue
		}
		switch r.Direction {
		case revisions.Up:
			if applied[r.Revision] {
				t.Errorf("%s: the ledger has revision %q go up twice", where, r.Revision)
			}
			applied[r.Revision] = true
		case revisions.Down:
			if !applied[r.Revision] {
				t.Errorf("%s: the ledger has revision %q go down, which was not up", where, r.Revision)
			}
			delete(applied, r.Revision)
		case revisions.Force:
		default:
			t.Errorf("%s: the ledger has revision %q go %s", where, r.Revision, r.Direction)
		}
	}
	var found []string
	for id := range applied {
		found = append(found, id)
	}
	slices.Sort(found)
	if sorted := slices.Sorted(slices.Values(want)); !slices.Equal(found, sorted) {
		t.Errorf("%s: the ledger has %q applied, the tool's own table %q", where, found, sorted)
	}
}

// checkStatements compares all that the ledger says of the round trip with what testdata has of it.
func (m migrator) checkStatements(t *testing.T, kept record) {
	t.Helper()
	var told strings.Builder
	for _, r := range kept.revisions(t) {
		fmt.Fprintf(&told, "%s %s %s\n", r.Direction, r.Revision, r.State)
		kept.tellStatements(t, &told, r.ID)
	}
	told.WriteString("no revision\n")
	kept.tellStatements(t, &told, 0)

	path := filepath.Join("testdata", m.name, "ledger.txt")
	if *write {
		if err := os.WriteFile(path, []byte(told.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if told.String() != string(want) {
		t.Errorf("the ledger has\n%s\nwant %s:\n%s", told.String(), path, want)
	}
}

// tellStatements lists the statements of a revision, or of none.
func (r record) tellStatements(t *testing.T, told *strings.Builder, revision int64) {
	t.Helper()
	list, err := r.Statements(t.Context(), revision)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		verdict := s.Verdict
		if len(s.Rules) > 0 {
			verdict += " by " + strings.Join(s.Rules, ", ")
		}
		fmt.Fprintf(told, "  %s\n    %s: %s\n", strings.Join(strings.Fields(s.Asked), " "), s.Outcome, verdict)
	}
}

// checkOnce reports revisions that went up more than once, or were counted by both of two instances.
func (m migrator) checkOnce(t *testing.T, kept record) {
	t.Helper()
	times := map[string]int{}
	for _, r := range kept.revisions(t) {
		if r.State == "applied" {
			times[r.Revision]++
		}
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("the ledger has revision %q applied %d times", id, n)
		}
	}
}
