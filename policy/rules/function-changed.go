package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed function-changed.sql
var functionChangedCases string

// functionChanged: what callers rely on.
func functionChanged() policy.Rule {
	return policy.Rule{
		Name:  "function-changed",
		Title: "Function that is unsafe to call, or means something else than before",
		Doc: `A SECURITY DEFINER function runs with its owner's rights, but looks names up in the caller's search_path: who can create objects in a schema
before the right one has the owner's rights. Changing a function's volatility changes what the planner may do with it: an IMMUTABLE function
that was not is computed once and kept, indexes over it included; a VOLATILE one that was IMMUTABLE no longer uses them.

Give SECURITY DEFINER functions their own search_path: SET search_path = pg_catalog, pg_temp, and qualified names inside. Make a
function of another volatility under another name. Functions that the same transaction has made pass.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   functionChangedCases,
		Run:     runFunctionChanged,
	}
}

func runFunctionChanged(c *policy.Check) {
	utility, ok := c.Stmt.Action.(ddl.Utility)
	if !ok || len(utility.Names) != 1 {
		return
	}
	creates := false
	switch c.Stmt.Tag {
	case "CREATE FUNCTION", "CREATE PROCEDURE":
		creates = true
	case "ALTER FUNCTION", "ALTER PROCEDURE", "ALTER ROUTINE":
	default:
		return
	}
	name := utility.Names[0]
	routine := soleRoutine(c, name)
	_, pinned := utility.Options["set search_path"]
	if !creates && routine != nil {
		pinned = pinned || routine.SearchPath
	}
	if utility.Options["security"] == "true" && !pinned {
		c.Report(policy.Finding{
			Message: fmt.Sprintf("SECURITY DEFINER function %s looks names up in its caller's search_path; add SET search_path = pg_catalog, pg_temp", shown(name)),
		})
	}
	volatility, written := utility.Options["volatility"]
	if !written && creates {
		volatility = "volatile"
	}
	if routine == nil || routine.CreatedHere || routine.Kind == "p" || volatility == "" || volatility[:1] == routine.Volatile || creates && !utility.Replace {
		return
	}
	finding := policy.Finding{
		Message: fmt.Sprintf("function %s changes from %s to %s for everything that uses it; make a new function beside it",
			shown(name), volatilities[routine.Volatile], strings.ToUpper(volatility)),
	}
	var users []string
	for _, d := range routine.Objects {
		users = append(users, described(d))
	}
	if len(users) > 0 {
		finding.Detail = fmt.Sprintf("It is used by %s.", enumerated(users))
	}
	c.Report(finding)
}

var volatilities = map[string]string{"v": "VOLATILE", "s": "STABLE", "i": "IMMUTABLE"}

// soleRoutine is the function of that name if there is one only: which of several the statement means is told by their arguments.
func soleRoutine(c *policy.Check, name ddl.Name) *facts.Routine {
	function := c.Facts.Functions[facts.Key(name.Schema, name.Name)]
	if len(function.Routines) != 1 {
		return nil
	}
	return &function.Routines[0]
}
