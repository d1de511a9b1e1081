package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed unjudged.sql
var unjudgedCases string

// unjudged: a schema change that cannot be read cannot be made safe.
func unjudged() policy.Rule {
	return policy.Rule{
		Name:  "unjudged",
		Title: "Schema change that cannot be judged",
		Doc: `What pgsluice cannot read it cannot judge: syntax that is newer than its grammar (PostgreSQL 16), text that is too long or too deep for
its parser, a client encoding that it does not know, the body of a DO block, the procedure behind a CALL.

Such text may hold any lock for any time. Text with a word of schema changes in it (CREATE, ALTER, DROP, TRUNCATE, …) is therefore
refused; DO and CALL pass with a warning; everything else passes.

Write the statement in a form that can be read: one statement at a time, without DO around it. If it must be as it is, say why in a comment:
/* pgsluice:allow unjudged reason="..." */.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   unjudgedCases,
		Run:     runUnjudged,
	}
}

func runUnjudged(c *policy.Check) {
	switch action := c.Stmt.Action.(type) {
	case ddl.Unparsed:
		word := schemaWord(c.Stmt.Text)
		if word == "" {
			return
		}
		c.Report(policy.Finding{
			Message: fmt.Sprintf("cannot judge this %s (%s): write it so that it can be read, or allow it with a reason", word, action.Reason),
			Hint:    `Send statements one at a time. To run it as it is: /* pgsluice:allow unjudged reason="..." */ before it.`,
		})
	case ddl.Opaque:
		what, hint := "the procedure that CALL runs", "Send schema changes as statements of their own."
		if c.Stmt.Tag == "DO" {
			what, hint = "the body of a DO block", "Send schema changes as statements of their own, not inside DO."
		}
		c.Report(policy.Finding{
			Action:  policy.Warn,
			Message: fmt.Sprintf("%s is not judged: schema changes in it take their locks without a budget", what),
			Hint:    hint,
		})
	}
}

// schemaWord is the first word of schema changes in a text, wherever it stands: in a text that was not read, a string cannot be told from SQL.
func schemaWord(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_'
	})
	for _, word := range words {
		switch word = strings.ToUpper(word); word {
		case "ALTER", "CLUSTER", "CREATE", "DROP", "REFRESH", "REINDEX", "TRUNCATE", "VACUUM":
			return word
		}
	}
	return ""
}
