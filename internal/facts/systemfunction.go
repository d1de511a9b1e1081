package facts

import (
	_ "embed"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// systemFunctionsText lists functions of pg_catalog that a value may be made with: those of which one of the name is volatile, and those of which none is, on any
// supported major. What serves types, operators and indexes, returns sets, or looks into the server is left out. A test holds it against the server.
//
//go:embed systemfunctions.txt
var systemFunctionsText string

// SystemFunction is what is known of a function without a server, if it is one of the system's: those of others by the same name are found behind it. Of one
// that is not volatile it is not told whether it is immutable.
func SystemFunction(name ddl.Name) (function Function, known bool) {
	if name.Schema != "" && name.Schema != "pg_catalog" {
		return Function{}, false
	}
	volatile, other, _ := strings.Cut(systemFunctionsText, "\n\n")
	for list, letter := range map[string]string{volatile: "v", other: "s"} {
		for word := range strings.FieldsSeq(list) {
			if word == name.Name {
				return Function{Volatile: letter, System: true}, true
			}
		}
	}
	return Function{}, false
}
