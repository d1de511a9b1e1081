package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/revisions"
)

// revisionsConfig is what is learned from migration tools, and how many of them may work at once.
type revisionsConfig struct {
	// Exclusive is off, wait or refuse: what a migration does while another one runs in the same database.
	Exclusive string `yaml:"exclusive"`
	// Tables are version tables that the tools would not have made themselves: "TOOL [SCHEMA.]TABLE [COLUMN...]". A tool that is not known needs
	// the columns that name a revision.
	Tables []string `yaml:"tables"`
	// Keep is how long what has ended stays in the ledger; 0 is for ever. What is open or has failed stays, and the last state of each revision.
	Keep time.Duration `yaml:"keep"`
}

func (r revisionsConfig) validate(v *validation) {
	v.oneOf("revisions.exclusive", r.Exclusive, "off", "wait", "refuse")
	if r.Keep != 0 && r.Keep < revisions.ShortestKeep {
		v.add("revisions.keep", "write 365d for a year", "must be at least a day, or 0 to keep everything")
	}
	for i, line := range r.Tables {
		if _, err := toolOf(line); err != nil {
			v.add(fmt.Sprintf("revisions.tables[%d]", i), `write "knex app.my_migrations", or "ours ops.deployments id" for a tool of your own`, "%s", err)
		}
	}
}

// toolOf reads one of the tables.
func toolOf(line string) (revisions.Tool, error) {
	words := strings.Fields(line)
	if len(words) < 2 {
		return revisions.Tool{}, fmt.Errorf("must be TOOL TABLE, and the columns that name a revision if the tool is not known")
	}
	for _, c := range line {
		if c > 127 {
			return revisions.Tool{}, fmt.Errorf("must be ASCII: a name is looked for before anybody knows the client's encoding")
		}
	}
	schema, table, qualified := strings.Cut(words[1], ".")
	if !qualified {
		schema, table = "", schema
	}
	if table == "" || strings.Contains(table, ".") || qualified && schema == "" {
		return revisions.Tool{}, fmt.Errorf("the table must be TABLE or SCHEMA.TABLE")
	}
	known := slices.IndexFunc(revisions.Tools(), func(t revisions.Tool) bool { return t.Name == words[0] })
	switch {
	case known < 0 && len(words) == 2:
		return revisions.Tool{}, fmt.Errorf("the tool %q is not known: name the columns that name a revision behind its table", words[0])
	case known >= 0 && len(words) > 2:
		return revisions.Tool{}, fmt.Errorf("the columns of %s are known: leave them out, or give your tool another name", words[0])
	case known >= 0:
		return revisions.Tools()[known].Renamed(schema, table), nil
	}
	return revisions.Custom(words[0], schema, table, words[2:]), nil
}

// tools are the tools whose revisions are learned, and what finds the names of their tables that nothing else would find; nil if there are none.
func (r revisionsConfig) tools() (tools []revisions.Tool, names *regexp.Regexp) {
	var unusual []string
	for _, line := range r.Tables {
		tool, err := toolOf(line)
		if err != nil {
			continue // Validate has refused it
		}
		tools = append(tools, tool)
		if !ddl.MayNameVersionTable(tool.Table) {
			unusual = append(unusual, regexp.QuoteMeta(tool.Table))
		}
	}
	if len(unusual) > 0 {
		names = regexp.MustCompile("(?i)" + strings.Join(unusual, "|"))
	}
	return append(tools, revisions.Tools()...), names
}
