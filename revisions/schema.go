package revisions

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed schema.sql
var schemaSQL string

// Version is the version of the ledger that this program writes.
const Version = 5

// schema is schema.sql, taken apart.
type schema struct {
	versions    [][]string // statements that make version 1, 2, … of the version before
	functions   []string
	grants      []string
	controlRole []string
}

// parseSchema reads the sections that the head of schema.sql describes.
func parseSchema(text string) (schema, error) {
	var s schema
	var section *[]string
	for chunk := range strings.SplitSeq(text, "\n----") {
		heading, statement, _ := strings.Cut(chunk, "\n")
		switch heading = strings.TrimSpace(heading); {
		case section == nil && !strings.HasPrefix(heading, "version "):
			continue // the comment at the head of the file
		case heading == "":
		case heading == "functions":
			section = &s.functions
		case heading == "grants":
			section = &s.grants
		case heading == "control role":
			section = &s.controlRole
		case heading == "version "+strconv.Itoa(len(s.versions)+1):
			s.versions = append(s.versions, nil)
			section = &s.versions[len(s.versions)-1]
		default:
			return schema{}, fmt.Errorf("unknown section %q of the schema", heading)
		}
		*section = append(*section, strings.TrimSpace(statement))
	}
	return s, nil
}
