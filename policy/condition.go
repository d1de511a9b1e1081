package policy

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
)

const (
	// conditionCost bounds what one evaluation of a condition may cost, in CEL's own units: about a hundred for a usual one.
	conditionCost = 100_000
	// conditionSize bounds its text, in characters.
	conditionSize = 8 << 10
)

// Variable is something that a condition may ask about.
type Variable struct {
	Name, Doc string
	kind      *cel.Type
}

// Variables are all that a condition may ask about. One that is not known makes a condition that depends on it not hold.
func Variables() []Variable {
	return []Variable{
		{"rule", "the name of the rule", cel.StringType},
		{"action", "what the finding asks for: warn, rewrite or block", cel.StringType},
		{"table", "the name of the table", cel.StringType},
		{"schema", "its schema", cel.StringType},
		{"rows", "the server's estimate of its rows, partitions included", cel.IntType},
		{"bytes", "its size, TOAST and partitions included", cel.IntType},
		{"role", "the login (session_user)", cel.StringType},
		{"current_role", "what SET ROLE made of it (current_user)", cel.StringType},
		{"database", "the name of the database", cel.StringType},
		{"application", "application_name, which the client chooses", cel.StringType},
		{"in_transaction", "whether the statement runs inside a transaction block", cel.BoolType},
		{"server_version", "server_version_num: 160004 is 16.4", cel.IntType},
		{"tag", "the statement's command tag: ALTER TABLE", cel.StringType},
		{"revision", "the id of the revision that is being applied", cel.StringType},
		{"now", "the time", cel.TimestampType},
	}
}

// conditions compiles the conditions of exemptions.
type conditions struct{ env *cel.Env }

func newConditions() (conditions, error) {
	options := []cel.EnvOption{
		cel.ParserExpressionSizeLimit(conditionSize),
		cel.ASTValidators(cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals(), cel.ValidateHomogeneousAggregateLiterals()),
	}
	for _, v := range Variables() {
		options = append(options, cel.Variable(v.Name, v.kind))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return conditions{}, fmt.Errorf("cannot prepare for conditions: %w", err)
	}
	return conditions{env}, nil
}

// undeclared finds the name in CEL's complaint about one that it does not know.
var undeclared = regexp.MustCompile(`^undeclared reference to '([^']+)'`)

// compile checks the types of a condition, and makes it ready to be evaluated.
func (c conditions) compile(text string) (cel.Program, []*ExemptionError) {
	checked, issues := c.env.Compile(text)
	if issues.Err() != nil {
		var wrong []*ExemptionError
		for _, e := range issues.Errors() {
			message, _, _ := strings.Cut(e.Message, " (in container '')")
			wrong = append(wrong, &ExemptionError{
				Key: "when", Item: -1, Line: max(e.Location.Line(), 1), Column: max(e.Location.Column(), 0) + 1, Message: message, Hint: c.hint(message),
			})
		}
		return nil, wrong
	}
	if kind := checked.OutputType(); !kind.IsExactType(cel.BoolType) {
		return nil, []*ExemptionError{{Key: "when", Item: -1, Line: 1, Column: 1, Message: fmt.Sprintf("must be true or false, and is of type %s", kind)}}
	}
	program, err := c.env.Program(checked, cel.EvalOptions(cel.OptOptimize, cel.OptPartialEval), cel.CostLimit(conditionCost))
	if err != nil {
		return nil, []*ExemptionError{{Key: "when", Item: -1, Line: 1, Column: 1, Message: err.Error()}}
	}
	return program, nil
}

func (c conditions) hint(message string) string {
	var names []string
	for _, v := range Variables() {
		names = append(names, v.Name)
	}
	if unknown := undeclared.FindStringSubmatch(message); unknown != nil {
		if near := nearest(unknown[1], names); distance(near, unknown[1]) <= 2 {
			return "did you mean " + near + "?"
		}
		return "the variables are " + strings.Join(names, ", ")
	}
	return ""
}

// holds reports whether a condition holds for a finding, for each of the tables that it is about. A nil program holds. One that depends on what
// is not known does not.
func holds(program cel.Program, f Finding, c circumstances) (bool, error) {
	if program == nil {
		return true, nil
	}
	tables := c.tables
	if len(tables) == 0 {
		tables = []table{{}}
	}
	for _, one := range tables {
		values, unknown := variables(f, c, one)
		input, err := cel.PartialVars(values, unknown...)
		if err != nil {
			return false, err
		}
		result, _, err := program.Eval(input)
		if err != nil {
			return false, errors.New(strings.ReplaceAll(err.Error(), "\n", " "))
		}
		if result != types.True {
			return false, nil
		}
	}
	return true, nil
}

// variables are the values of the Variables, and which of them are not known.
func variables(f Finding, c circumstances, about table) (map[string]any, []*cel.AttributePatternType) {
	rows, bytes := int64(-1), int64(-1)
	if about.relation != nil {
		rows, bytes = int64(math.Ceil(about.relation.Rows)), about.relation.Bytes
	}
	values := map[string]any{
		"rule": f.Rule, "action": f.Action.String(), "table": about.name, "schema": about.schema, "rows": rows, "bytes": bytes,
		"role": c.known.SessionUser, "current_role": c.known.CurrentUser, "database": c.known.Database,
		"application": c.known.Settings["application_name"], "in_transaction": c.where.InTransaction,
		"server_version": c.known.Version, "tag": c.stmt.Tag, "revision": c.where.Revision, "now": c.where.Now,
	}
	missing := map[string]bool{
		"table": about.name == "", "schema": about.schema == "", "rows": rows < 0, "bytes": bytes < 0,
		"role": c.known.SessionUser == "", "current_role": c.known.CurrentUser == "", "database": c.known.Database == "",
		"application": !c.known.Known, "server_version": c.known.Version == 0, "revision": c.where.Revision == "", "now": c.where.Now.IsZero(),
	}
	var unknown []*cel.AttributePatternType
	for _, v := range Variables() {
		if missing[v.Name] {
			unknown = append(unknown, cel.AttributePattern(v.Name))
		}
	}
	return values, unknown
}
