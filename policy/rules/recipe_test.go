package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
)

// What a hint says to type leaves what the statement itself would have left: as the catalogs describe it, and as pg_dump does where there is one for this
// major.
//
//	setup            runs SQL on both sides
//	recipe [ARGS]    runs the statement on one side, and on the other what the hint of its first finding says to type
//
// Args of recipe: version=N (the server that it is judged for), all (the hints of its other findings, too, in order), major=N (from this major on), before=N (up
// to the one before).
func TestHintsAreRecipes(t *testing.T) {
	plainDSN, typedDSN := pgtest.Database(t), pgtest.Database(t)
	plain, typed := pgtest.Connect(t, plainDSN), pgtest.Connect(t, typedDSN)
	_, dumps := pgtest.Server(t).Binaries().Tool("pg_dump")
	set, err := policy.NewSet(rules.All(), policy.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	datadriven.RunTest(t, "testdata/recipes", func(t *testing.T, d *datadriven.TestData) string {
		if isOtherMajors(t, d) {
			return d.Expected
		}
		if d.Cmd == "setup" {
			exec(t, plain, d.Input)
			exec(t, typed, d.Input)
			return ""
		}
		stmt := statement(t, d)
		verdict := set.Judge(stmt, read(t, typed, stmt, d), policy.Context{})
		hinted := slices.IndexFunc(verdict.Findings, func(f policy.Finding) bool { return f.Action >= policy.Rewrite && f.Hint != "" })
		if hinted < 0 {
			t.Fatalf("nothing is to be typed instead of %s: %+v", d.Input, verdict)
		}
		followed := verdict.Findings[hinted : hinted+1]
		if d.HasArg("all") {
			followed = verdict.Findings
		}
		var hint string
		for _, f := range followed {
			if first, lines, _ := strings.Cut(f.Hint, "\n"); strings.HasSuffix(first, ":") { // it says how to run the others
				f.Hint = lines
			}
			for line := range strings.SplitSeq(f.Hint, "\n") {
				exec(t, typed, line)
			}
			hint += f.Hint + "\n"
		}
		exec(t, plain, d.Input)
		want, got := described(t, plain), described(t, typed)
		if want == got && dumps {
			want, got = pgtest.Dump(t, plainDSN), pgtest.Dump(t, typedDSN)
		}
		if got != want {
			t.Errorf("%s\nleaves\n%s\nthe recipe\n%sleaves\n%s", d.Input, without(want, got), hint, without(got, want))
		}
		return ""
	})
}

// without is the lines of a text that are not in the other.
func without(text, other string) string {
	others := strings.Split(other, "\n")
	return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return slices.Contains(others, line) }), "\n")
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
