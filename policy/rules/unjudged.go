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
		Doc: `What pgsluice cannot read it cannot judge: syntax that is newer than what it knows, text that is too long or too deep for its parser, a client
encoding that it does not know, what EXECUTE puts together when it runs, a body in a language other than SQL and PL/pgSQL, the procedure behind a CALL.

Such text may hold any lock for any time. Text with a word of schema changes in it (CREATE, ALTER, DROP, TRUNCATE, …) is therefore
refused; CALL, and an EXECUTE that nothing is known of, pass with a warning; everything else passes. What a function would do when it is called is
a warning where the function is made.

Write the statement in a form that can be read: one statement at a time, written out, or put together from constants. If it must be as it is, say
why in a comment: /* pgsluice:allow unjudged reason="..." */.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   unjudgedCases,
		Run:     runUnjudged,
	}
}

func runUnjudged(c *policy.Check) {
	switch action := c.Stmt.Action.(type) {
	case ddl.Unparsed:
		if c.Context.Inside.What == "" {
			unreadText(c, action)
		} else {
			unreadWithin(c, action)
		}
	case ddl.Opaque:
		if c.Stmt.Tag != "CALL" || len(c.Stmt.Calls) == 0 || c.Context.Inside.Later {
			return // what a DO block runs is judged itself
		}
		c.Report(policy.Finding{
			Action: policy.Warn,
			Message: fmt.Sprintf("what procedure %s does is not judged, and schema changes in it take their locks without a budget; send them as statements of their own",
				shown(c.Stmt.Calls[0])),
		})
	}
}

func unreadText(c *policy.Check, text ddl.Unparsed) {
	word := schemaWord(c.Stmt.Text)
	if word == "" {
		return
	}
	c.Report(policy.Finding{
		Message: fmt.Sprintf("cannot judge this %s (%s); write it so that it can be read, or allow it with a reason", word, text.Reason),
		Hint:    `Send statements one at a time. To run it as it is: /* pgsluice:allow unjudged reason="..." */ before it.`,
	})
}

// unreadWithin judges what cannot be read of a body.
func unreadWithin(c *policy.Check, text ddl.Unparsed) {
	what, fix := "this body", "write it in PL/pgSQL, or send its schema changes as statements of their own"
	if c.Context.Inside.Dynamic {
		what, fix = "what this EXECUTE runs", "write the statement out, or put it together from constants"
	}
	finding := policy.Finding{Hint: `To run it as it is: /* pgsluice:allow unjudged reason="..." */ before the statement.`}
	switch word := schemaWord(c.Stmt.Text); {
	case word != "":
		finding.Message = fmt.Sprintf("cannot judge %s (%s), and there is %s in it; %s", what, text.Reason, word, fix)
	case c.Context.Inside.Later, text.Begun:
		return
	default:
		finding.Action = policy.Warn
		finding.Message = fmt.Sprintf("cannot judge %s (%s); %s", what, text.Reason, fix)
	}
	c.Report(finding)
}

// schemaWord is the first word of schema changes in a text, wherever it stands: in a text that was not read, a string cannot be told from SQL.
func schemaWord(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_'
	})
	for _, word := range words {
		switch word = strings.ToUpper(word); word {
		case "ALTER", "CLUSTER", "CREATE", "DROP", "REFRESH", "REINDEX", "REPACK", "TRUNCATE", "VACUUM":
			return word
		}
	}
	return ""
}
