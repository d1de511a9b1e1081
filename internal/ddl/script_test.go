package ddl

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// The cases of testdata/script: how a script is cut without a grammar.
func TestScript(t *testing.T) {
	datadriven.Walk(t, "testdata/script", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			switch d.Cmd {
			case "stops":
				for from := 0; from < len(d.Input); {
					at, why := NextStop(d.Input, from)
					fmt.Fprintf(&out, "%s %q\n", map[Stop]string{AtEnd: "end", AtSemicolon: "semicolon", AtBackslash: "backslash"}[why], d.Input[from:at])
					from = at + 1
				}
			case "comments":
				for _, span := range Comments(d.Input) {
					fmt.Fprintf(&out, "%q\n", d.Input[span.Start:span.End])
				}
			case "alone":
				statements, err := Parse(d.Input)
				if err != nil {
					return describeError(err)
				}
				for _, s := range statements {
					fmt.Fprintf(&out, "%t %s\n", Alone(s), s.Text)
				}
			default:
				t.Fatalf("%s: unknown directive %s", d.Pos, d.Cmd)
			}
			return out.String()
		})
	})
}

// Where a text parses, its statements end where NextStop says.
func TestStopsAgreeWithTheGrammar(t *testing.T) {
	compared := 0
	for _, dir := range []string{"testdata/model", "testdata/forms"} {
		datadriven.Walk(t, dir, func(t *testing.T, path string) {
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				statements, err := Parse(d.Input)
				if err != nil {
					return d.Expected
				}
				from := 0
				for _, s := range statements {
					// The semicolons of empty statements are part of the Lead of the next.
					at, why := NextStop(d.Input, from)
					for at < s.Offset {
						at, why = NextStop(d.Input, at+1)
					}
					if end := s.Offset + len(s.Text) + len(s.Tail); at != end || why == AtBackslash {
						t.Errorf("%s: %s: the statement at %d ends at %d, not at %d", d.Pos, d.Input, from, end, at)
						break
					}
					from = at + 1
					compared++
				}
				return d.Expected
			})
		})
	}
	if compared < 100 {
		t.Errorf("only %d statements were compared", compared)
	}
}
