package ddl

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestGiven runs testdata/given.txt: what a write says of its rows.
func TestGiven(t *testing.T) {
	datadriven.RunTest(t, "testdata/given.txt", func(t *testing.T, d *datadriven.TestData) string {
		statements, err := Parse(d.Input)
		if err != nil || len(statements) != 1 {
			t.Fatalf("%s: %d statements, %v", d.Pos, len(statements), err)
		}
		given, ok := GivenBy(statements[0])
		if !ok {
			return "nothing\n"
		}
		var out strings.Builder
		if given.Columns != nil {
			fmt.Fprintf(&out, "columns %s\n", strings.Join(given.Columns, " "))
		}
		for _, row := range given.Rows {
			fmt.Fprintf(&out, "row %s\n", shownValues(row))
		}
		for _, set := range given.Set {
			fmt.Fprintf(&out, "set %s %s\n", set.Column, shownValues(set.Values))
		}
		for _, where := range given.Where {
			fmt.Fprintf(&out, "where %s %s\n", where.Column, shownValues(where.Values))
		}
		if given.Everything {
			out.WriteString("everything\n")
		}
		return out.String()
	})
}

func shownValues(values []Value) string {
	var all []string
	for _, v := range values {
		switch {
		case !v.Known:
			all = append(all, "?")
		case v.Param > 0:
			all = append(all, fmt.Sprintf("$%d", v.Param))
		default:
			all = append(all, fmt.Sprintf("%q", v.Text))
		}
	}
	return strings.Join(all, " ")
}
