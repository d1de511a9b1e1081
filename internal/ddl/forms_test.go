package ddl

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// The cases of testdata/forms show a statement and the form that it is given. A form that cannot be proven is an error.
func TestForms(t *testing.T) {
	datadriven.Walk(t, "testdata/forms", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s, err := Reparse(d.Input)
			if err != nil {
				return describeError(err)
			}
			text, err := form(s, d)
			if err != nil {
				return "error: " + err.Error() + "\n"
			}
			if _, err := Reparse(text); err != nil && text != "" {
				t.Errorf("form does not parse: %v: %s", err, text)
			}
			return text + "\n"
		})
	})
}

func form(s Statement, d *datadriven.TestData) (string, error) {
	name, number, inline, concurrently := "", 0, -1, false
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "name":
			name = arg.Vals[0]
		case "number":
			number, _ = strconv.Atoi(arg.Vals[0])
		case "inline":
			inline, _ = strconv.Atoi(arg.Vals[0])
		case "concurrently":
			concurrently = true
		}
	}
	switch d.Cmd {
	case "concurrently":
		return Concurrently(s)
	case "named":
		return Named(s, name)
	case "renamed":
		return Renamed(s, name)
	case "qualified":
		schema, relation, _ := strings.Cut(name, ".")
		return Qualified(s, schema, relation)
	case "notvalid":
		return NotValid(s, number, name)
	case "onlycommand":
		return OnlyCommand(s, number)
	case "dropone":
		return DropOne(s, number, concurrently)
	case "unattached":
		return Unattached(s)
	case "bound":
		bound, err := PartitionBound(s)
		return fmt.Sprintf("SELECT $$%+v$$", bound), err
	case "only":
		return Only(s)
	case "plain":
		plain, err := PlainKeys(s)
		return "SELECT " + strconv.FormatBool(plain), err
	case "qualifies":
		qualifies, err := QualifiesColumns(s)
		return "SELECT " + strconv.FormatBool(qualifies), err
	case "probe":
		return Probe(s, name)
	case "barecolumn":
		text, err := BareColumn(s, number, name, DefaultClause, NotNullClause, IdentityClause, CheckClause, UniqueClause, PrimaryKeyClause, ReferencesClause)
		return "ALTER TABLE t " + text, err
	case "addedconstraint":
		text, err := AddedConstraint(s, number, inline, name, true)
		return "ALTER TABLE t " + text, err
	case "commands":
		instead := map[int][]Command{number: nil}
		for _, arg := range d.CmdArgs {
			if arg.Key == "by" {
				for _, column := range arg.Vals {
					instead[number] = append(instead[number], Command{SQL: "DROP COLUMN " + column})
				}
			}
		}
		return Commands(s, instead)
	}
	return "", strconv.ErrSyntax
}
