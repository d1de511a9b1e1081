package ddl

import (
	"slices"
	"testing"
)

// A condition that reads a column of which nothing is known is taken for one that is always met; what else the statement asks for stays.
func TestWithoutRestrictions(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"UPDATE t SET a = $1 WHERE new IS NULL", "UPDATE t SET a = $1 WHERE new IS NULL OR true"},
		{"UPDATE t SET a = 1 WHERE id < $1 AND (new = $2 OR b)", "UPDATE t SET a = 1 WHERE id < $1 AND (new = $2 OR b OR true)"},
		{"DELETE FROM t USING u WHERE t.id = u.id AND u.new > 5", "DELETE FROM t USING u WHERE t.id = u.id AND (u.new > 5 OR true)"},
		{"DELETE FROM t WHERE id IN (SELECT id FROM u WHERE new IS NULL LIMIT 10)", "DELETE FROM t WHERE id IN (SELECT id FROM u WHERE new IS NULL OR true LIMIT 10)"},
		{
			"WITH w AS (SELECT id FROM t WHERE NOT new) UPDATE t SET new = false FROM w WHERE w.id = t.id",
			"WITH w AS (SELECT id FROM t WHERE NOT new OR true) UPDATE t SET new = false FROM w WHERE w.id = t.id",
		},
		{"MERGE INTO t USING u ON t.id = u.id AND t.new WHEN MATCHED THEN DELETE", "MERGE INTO t USING u ON t.id = u.id AND (t.new OR true) WHEN MATCHED THEN DELETE"},
		{"DELETE FROM t WHERE id = (SELECT max(new) FROM u)", "DELETE FROM t WHERE id = (SELECT max(new) FROM u)"},
	} {
		r, err := ReadRestricted(c.text)
		if err != nil {
			t.Fatal(err)
		}
		left := slices.DeleteFunc(slices.Clone(r.Restrictions), func(r Restriction) bool {
			return !slices.ContainsFunc(r.Columns, func(use ColumnUse) bool { return use.Column == "new" })
		})
		if got, err := r.Without(left); got != c.want || err != nil {
			t.Errorf("%s\ngot  %s, %v\nwant %s", c.text, got, err, c.want)
		}
	}
}

func TestRestrictionsAskForOneValue(t *testing.T) {
	for text, want := range map[string]bool{
		"a = 1": true, "1 = t.a": true, "a IN (1, 2)": true, "a = ANY ($1)": true, "a = lower($1)": true,
		"a = b": false, "a <> 1": false, "a IS NULL": false, "a NOT IN (1)": false, "a + 1 = 2": false, "a": false, "a = 1 OR b": false, "a > 1": false,
		"a = b + 1": false,
	} {
		r, err := ReadRestricted("DELETE FROM t WHERE " + text)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Restrictions) != 1 || r.Restrictions[0].Equal != want {
			t.Errorf("%s: %+v", text, r.Restrictions)
		}
	}
}
