package rules_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
)

// What a hint says to type leaves what the statement itself would have left.
func TestHintsAreRecipes(t *testing.T) {
	plain, typed := pgtest.Connect(t, pgtest.Database(t)), pgtest.Connect(t, pgtest.Database(t))
	set, err := policy.NewSet(rules.All(), policy.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	datadriven.RunTest(t, "testdata/recipes", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "setup" {
			exec(t, plain, d.Input)
			exec(t, typed, d.Input)
			return ""
		}
		stmt := statement(t, d)
		verdict := set.Judge(stmt, read(t, typed, stmt, d), policy.Context{})
		if verdict.Action < policy.Rewrite {
			t.Fatalf("nothing is found in %s: %+v", d.Input, verdict)
		}
		_, lines, _ := strings.Cut(verdict.Findings[0].Hint, "\n") // the first line says how to run the others
		for line := range strings.SplitSeq(lines, "\n") {
			exec(t, typed, line)
		}
		exec(t, plain, d.Input)
		if want, got := described(t, plain), described(t, typed); got != want {
			t.Errorf("%s\nleaves\n%s\nthe recipe\n%s\nleaves\n%s", d.Input, want, lines, got)
		}
		return ""
	})
}

// described is the indexes and constraints of a database, one a line.
func described(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	rows, err := querier{conn}.Query(t.Context(), `
		SELECT format('%s valid=%s attached=%s', pg_get_indexdef(indexrelid), indisvalid, (SELECT count(*) FROM pg_inherits WHERE inhrelid = indexrelid))
			FROM pg_index WHERE indexrelid >= 16384 AND indrelid NOT IN (SELECT oid FROM pg_class WHERE relkind = 't')
		UNION ALL
		SELECT format('%s %s %s validated=%s child=%s', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated, conparentid <> 0)
			FROM pg_constraint WHERE oid >= 16384
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(rows, "\n")
}
