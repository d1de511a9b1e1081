package facts

import (
	"context"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

//go:embed writing.sql
var writingSQL string

// Change is what the planner expects of one part of a statement.
type Change struct {
	// Operation is Insert, Update, Delete or Merge, as EXPLAIN names it. Schema and Table are whose rows are changed.
	Operation     string
	Schema, Table string
	Rows          float64
}

// Writing is what decides whether a statement that changes many rows can be run in parts.
type Writing struct {
	// Changes are the parts of the statement that change rows. Scanned are the tables that its plan has, by qualified Key: a partition that is
	// missing has no row for it.
	Changes []Change        `json:"-"`
	Scanned map[string]bool `json:"-"`
	// OID is the table that an UPDATE or DELETE by itself changes; 0: the rest is not known.
	OID uint32 `json:"oid"`
	// ReadOnly is true when the session's transactions may not write. RowSecurity is true when policies of the table hold for the current user.
	ReadOnly    bool `json:"read_only"`
	RowSecurity bool `json:"row_security"`
	// Growing are the columns whose values grow with each new row: of an identity, or by default from a sequence of their own
	// that no session takes values of in advance.
	Growing []string `json:"growing"`
	// Columns are the columns of the table.
	Columns []string `json:"columns"`
	// Members are the table and its descendants.
	Members []Member `json:"members"`
	// References are the foreign keys that reference the table, for a DELETE. Circular is true when what they delete leads back to it.
	References []Referrer `json:"references"`
	Circular   bool       `json:"circular"`
	// Reads are what else the statement reads.
	Reads []ReadTable `json:"reads"`
	// Routines are the functions that are called, those behind operators, and those behind the casts that this database has of its own.
	Routines []Called `json:"routines"`
	// Settings are those of WriteSettings that this server has, by name.
	Settings map[string]Setting `json:"settings"`
	// Constants are the values of the moments that can be frozen, in the order of the statement's Moments; "" for one that cannot.
	Constants []string `json:"-"`
}

// Member is the table of a Writing, or one of its descendants.
type Member struct {
	OID    uint32 `json:"oid"`
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Kind   string `json:"kind"` // pg_class.relkind
	// May is true when the current user may read it and change its rows by its own name.
	May bool `json:"may"`
	// RowSecurity is true when its own policies would hold for the current user. Policies are those that look at other rows, at the
	// clock, or at the session's settings: the functions that they call are not all immutable.
	// Parting are those that do not let the current user read the same rows as change them.
	RowSecurity bool     `json:"row_security"`
	Policies    []string `json:"policies"`
	Parting     []string `json:"parting"`
	// Rules are the rewrite rules, Triggers the triggers of users that the statement would fire.
	Rules    []string `json:"rules"`
	Triggers []Firing `json:"triggers"`
	// Keys are the unique indexes over NOT NULL columns whose order can be followed, the primary key first.
	Keys []Order `json:"keys"`
	// Unique are the unique indexes and exclusion constraints, with all columns that they mention.
	Unique []struct {
		Name    string   `json:"name"`
		Columns []string `json:"columns"`
	} `json:"unique"`
	// PartitionedBy are the columns of its partition key.
	PartitionedBy []string `json:"partitioned_by"`
	// MovingDefaults are the columns whose default is not the same for every statement.
	MovingDefaults []string `json:"moving_defaults"`
	// Generated are the columns that are made of others.
	Generated []string `json:"generated"`
}

// Firing is a trigger that a statement fires.
type Firing struct {
	Name string `json:"name"`
	Row  bool   `json:"row"`
	// Deferrable is true for a constraint trigger that may run at COMMIT; Whole when it sees all changed rows (transition tables).
	Deferrable bool `json:"deferrable"`
	Whole      bool `json:"whole"`
	// Columns are those of UPDATE OF, none for all.
	Columns  []string `json:"columns"`
	Schema   string   `json:"schema"`
	Function string   `json:"function"`
	Language string   `json:"language"`
	Source   string   `json:"source"`
}

// Order is a unique index and the order of its keys; types and operators are SQL, qualified.
type Order struct {
	Index   string   `json:"index"`
	Primary bool     `json:"primary"`
	Columns []string `json:"columns"`
	Types   []string `json:"types"`
	Less    string   `json:"less"`
	AtMost  string   `json:"at_most"`
	More    string   `json:"more"`
}

// Referrer is a foreign key that references the table.
type Referrer struct {
	Name   string  `json:"name"`
	Schema string  `json:"schema"`
	Table  string  `json:"table"`
	Rows   float64 `json:"rows"` // pg_class.reltuples
	Action string  `json:"action"`
	// Itself is true when it is the table's own.
	Itself  bool     `json:"itself"`
	Columns []string `json:"columns"`
	// Covered is true when a valid index of the referencing table begins with its columns.
	Covered bool `json:"covered"`
}

// ReadTable is a relation that a statement reads. Itself is true when that is the table that it changes, or a view over it.
type ReadTable struct {
	Name   string `json:"name"`
	Itself bool   `json:"itself"`
}

// Called is what the name of a function or operator can mean.
type Called struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Args   int    `json:"args"` // -1 for an operator and a cast
	Kind   string `json:"kind"` // f, o, c (a cast) or a (a function of a row, which attribute notation may call)
	// Volatile is the worst pg_proc.provolatile; System is true when all are pg_catalog's; Reads when one of them is stable and may read tables.
	Volatile string `json:"volatile"`
	System   bool   `json:"system"`
	Reads    bool   `json:"reads"`
}

// Total is how many rows of tables that exist the statement changes, and how many it adds.
func (w *Writing) Total() (changed, added float64) {
	if w == nil {
		return 0, 0
	}
	for _, c := range w.Changes {
		if c.Operation == "Insert" {
			added += c.Rows
		} else {
			changed += c.Rows
		}
	}
	return changed, added
}

// Key is the key of a member that the batches go along: one without an assigned column, rather one that grows; nil if there is none.
func (w *Writing) Key(m Member, assigned []string) *Order {
	var best *Order
	for i := range m.Keys {
		key := &m.Keys[i]
		if slices.ContainsFunc(key.Columns, func(column string) bool { return slices.Contains(assigned, column) }) {
			continue
		}
		if best == nil || w.Grows(key) && !w.Grows(best) {
			best = key
		}
	}
	return best
}

// Grows reports whether new rows have keys behind all others.
func (w *Writing) Grows(key *Order) bool { return slices.Contains(w.Growing, key.Columns[0]) }

// Set are the columns that a statement sets by its text, and the generated ones, which may be made of them.
func (w *Writing) Set(text ddl.Writing) []string {
	set := slices.Clone(text.Assigned)
	if len(set) == 0 {
		return nil
	}
	for _, m := range w.Members {
		set = append(set, m.Generated...)
	}
	return set
}

// Assigned are the columns that a statement sets, those that its triggers set and the generated ones included.
func (w *Writing) Assigned(text ddl.Writing) []string {
	assigned := w.Set(text)
	for _, m := range w.Members {
		for _, t := range m.Triggers {
			body, _ := t.Body()
			assigned = append(assigned, body.Sets...)
		}
	}
	return assigned
}

// Repeatable reports whether to change a row a second time would not change it any more: no new value is made of an assigned column, and no trigger
// has a hand in it.
func (w *Writing) Repeatable(text ddl.Writing) bool {
	fires := slices.ContainsFunc(w.Members, func(m Member) bool { return len(m.Triggers) > 0 })
	set := w.Set(text)
	return !fires && !slices.ContainsFunc(text.Attributes, func(a ddl.Attribute) bool { return w.Attribute(a) != nil }) && !slices.ContainsFunc(text.Reads, func(column string) bool { return column == "" || slices.Contains(set, column) })
}

// Explainer is a Querier that can have a statement of the client's explained with the parameters that it is to run with.
type Explainer interface {
	// Explain may be asked about another statement with the same parameters, too; then the error may be ErrNotExplained.
	Explain(ctx context.Context, statement string) ([]string, error)
	// StatisticsOpen reports whether the statistics of the planner may be asked for.
	StatisticsOpen(ctx context.Context) (bool, error)
}

// StatisticsOpenSQL asks whether the login may read the planner's statistics.
const StatisticsOpenSQL = "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_stats', 'SELECT')"

// ExplainSQL is how a statement is explained.
const ExplainSQL = "EXPLAIN (FORMAT JSON, VERBOSE) "

// Explain asks the planner what a statement will change, at most where it can only guess. It locks the tables as the statement does, for as long as the
// transaction lasts.
func Explain(ctx context.Context, server Querier, statement string) (*Writing, error) {
	w, err := explain(ctx, server, statement)
	if err != nil {
		return nil, err
	}
	most, err := unguessed(ctx, server, statement, w)
	if err != nil {
		return nil, err
	}
	if most != nil && len(most.Changes) == len(w.Changes) {
		for i := range w.Changes {
			w.Changes[i].Rows = max(w.Changes[i].Rows, most.Changes[i].Rows)
		}
	}
	return w, nil
}

func explain(ctx context.Context, server Querier, statement string) (*Writing, error) {
	var rows []string
	var err error
	if explainer, ok := server.(Explainer); ok {
		rows, err = explainer.Explain(ctx, statement)
	} else {
		rows, err = server.Query(ctx, ExplainSQL+statement)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot ask what the statement will change: %w", err)
	}
	var explained []struct {
		Plan planNode `json:"Plan"`
	}
	if err := json.Unmarshal([]byte(strings.Join(rows, "\n")), &explained); err != nil {
		return nil, fmt.Errorf("cannot read the plan of the statement: %w", err)
	}
	w := &Writing{Scanned: map[string]bool{}}
	for _, e := range explained {
		w.add(e.Plan)
	}
	return w, nil
}

// planNode is what matters of a node of EXPLAIN's JSON.
type planNode struct {
	NodeType     string     `json:"Node Type"`
	Operation    string     `json:"Operation"`
	Relationship string     `json:"Parent Relationship"`
	Schema       string     `json:"Schema"`
	Relation     string     `json:"Relation Name"`
	Rows         float64    `json:"Plan Rows"`
	Plans        []planNode `json:"Plans"`
}

func (w *Writing) add(n planNode) {
	if n.Relation != "" && n.NodeType != "ModifyTable" {
		w.Scanned[Key(n.Schema, n.Relation)] = true
	}
	if n.NodeType == "ModifyTable" {
		change := Change{Operation: n.Operation, Schema: n.Schema, Table: n.Relation}
		for _, below := range n.Plans {
			if below.Relationship == "Outer" || below.Relationship == "Member" { // up to 13 a member for each partition
				change.Rows += below.Rows
			}
		}
		w.Changes = append(w.Changes, change)
	}
	for _, below := range n.Plans {
		w.add(below)
	}
}

// addWriting finds out what there is to know of a statement that changes rows.
func addWriting(ctx context.Context, server Querier, known *Facts, wanted []Wanted) error {
	i := slices.IndexFunc(wanted, func(w Wanted) bool { return w.Write != nil })
	if i < 0 {
		return nil
	}
	stmt := *wanted[i].Write
	w, err := Explain(ctx, server, stmt.Text)
	if err != nil {
		var refused interface{ SQLState() string }
		if errors.As(err, &refused) && refused.SQLState() != queryCanceled {
			return nil // not known; the statement itself will hear of it
		}
		return err
	}
	known.Writing = w
	w.spare(known.Relations)
	write, ok := stmt.Action.(ddl.Write)
	if !ok || write.Op != ddl.Update && write.Op != ddl.Delete {
		return nil
	}
	text, err := ddl.ReadWriting(stmt)
	if err != nil {
		return nil // it is not read either by who would split it
	}
	if err := w.read(ctx, server, write, text, text.Calls); err != nil {
		return err
	}
	if fired := w.firedCalls(); len(fired) > 0 {
		if err := w.read(ctx, server, write, text, append(fired, text.Calls...)); err != nil {
			return err
		}
	}
	return w.freeze(ctx, server, text.Moments)
}

// spare leaves nothing to change in tables that are empty: the planner takes one that was never vacuumed for ten pages full (estimate_rel_size of
// Postgres's plancat.c).
func (w *Writing) spare(relations map[string]*Relation) {
	for i, c := range w.Changes {
		for _, r := range relations {
			if r != nil && r.Empty && r.Schema == c.Schema && r.Name == c.Table && (c.Operation == "Update" || c.Operation == "Delete") {
				w.Changes[i].Rows = 0
			}
		}
	}
}

// queryCanceled is query_canceled.
const queryCanceled = "57014"

// firedCalls are the functions that triggers call, as far as their bodies can be read.
func (w *Writing) firedCalls() []ddl.Call {
	var calls []ddl.Call
	for _, m := range w.Members {
		for _, t := range m.Triggers {
			body, _ := t.Body()
			calls = append(calls, body.Calls...)
		}
	}
	return calls
}

// Body is what the trigger's function does; ok is false where it may read a table, or cannot be read.
func (t Firing) Body() (body ddl.TriggerBody, ok bool) {
	if t.Language == "internal" {
		return ddl.TriggerBody{}, true // suppress_redundant_updates_trigger, tsvector_update_trigger
	}
	if t.Language != "plpgsql" {
		return ddl.TriggerBody{}, false
	}
	return ddl.ReadTriggerBody(t.Source)
}

// Routine is what the name of a function, of an operator (args -1, kind o) or a cast can mean; nil if it was not found.
func (w *Writing) Routine(kind string, name ddl.Name, args int) *Called {
	i := slices.IndexFunc(w.Routines, func(r Called) bool {
		return r.Kind == kind && r.Schema == name.Schema && r.Name == name.Name && r.Args == args
	})
	if i < 0 {
		return nil
	}
	return &w.Routines[i]
}

// Attribute is the function that attribute notation (t.f for f(t)) may call; nil where the word can only be a column.
func (w *Writing) Attribute(a ddl.Attribute) *Called {
	if a.Own && slices.Contains(w.Columns, a.Name) {
		return nil
	}
	return w.Routine("a", ddl.Name{Name: a.Name}, 1)
}

// read asks what decides whether an UPDATE or DELETE can be split.
func (w *Writing) read(ctx context.Context, server Querier, write ddl.Write, text ddl.Writing, calls []ddl.Call) error {
	type routine struct {
		Schema string `json:"schema"`
		Name   string `json:"name"`
		Args   int    `json:"args"`
	}
	asked := struct {
		Table      string    `json:"table"`
		Reads      []string  `json:"reads"`
		Event      int       `json:"event"`
		Functions  []routine `json:"functions"`
		Operators  []routine `json:"operators"`
		Attributes []string  `json:"attributes"`
		Settings   []string  `json:"settings"`
	}{Key(write.Target.Schema, write.Target.Name), []string{}, 1 << 4, []routine{}, []routine{}, []string{}, WriteSettings()}
	if write.Op == ddl.Delete {
		asked.Event = 1 << 3
	}
	for _, name := range text.Tables {
		asked.Reads = append(asked.Reads, Key(name.Schema, name.Name))
	}
	for _, call := range calls {
		asked.Functions = append(asked.Functions, routine{call.Name.Schema, call.Name.Name, call.Args})
	}
	for _, name := range text.Operators {
		asked.Operators = append(asked.Operators, routine{name.Schema, name.Name, -1})
	}
	for _, a := range text.Attributes {
		asked.Attributes = append(asked.Attributes, a.Name)
	}
	parameter, err := json.Marshal(asked)
	if err != nil {
		return fmt.Errorf("cannot encode what a statement does: %w", err)
	}
	rows, err := server.Query(ctx, writingSQL, hex.EncodeToString(parameter))
	if err != nil {
		return fmt.Errorf("cannot ask whether the statement can be split: %w", err)
	}
	if len(rows) != 1 {
		return fmt.Errorf("cannot ask whether the statement can be split: %d rows instead of one", len(rows))
	}
	*w = Writing{Changes: w.Changes, Scanned: w.Scanned}
	return decodeJSON(rows[0], w)
}

// Freezable reports whether a function without arguments has one value for the whole statement, and it is the system's.
func (w *Writing) Freezable(call ddl.Call) bool {
	r := w.Routine("f", call.Name, call.Args)
	return call.Args == 0 && r != nil && r.Volatile == "s" && r.System
}

// freeze asks for the values of the moments, as constants of their types.
func (w *Writing) freeze(ctx context.Context, server Querier, moments []ddl.Moment) error {
	w.Constants = make([]string, len(moments))
	var values []string
	var places []int
	for i, m := range moments {
		if m.Call == nil || w.Freezable(*m.Call) {
			values = append(values, fmt.Sprintf("(pg_catalog.json_build_array(pg_catalog.to_json(v%d), pg_catalog.pg_typeof(v%d)::pg_catalog.text))", i, i))
			places = append(places, i)
		}
	}
	if len(values) == 0 {
		return nil
	}
	var from []string
	for _, i := range places {
		from = append(from, fmt.Sprintf("(SELECT %s AS v%d) AS m%d", moments[i].SQL, i, i))
	}
	rows, err := server.Query(ctx, fmt.Sprintf("SELECT pg_catalog.json_build_array(%s) FROM %s", strings.Join(values, ", "), strings.Join(from, ", ")))
	if err != nil || len(rows) != 1 {
		return fmt.Errorf("cannot ask for the time of the statement: %w (%d rows)", err, len(rows))
	}
	var answers [][2]json.RawMessage
	if err := json.Unmarshal([]byte(rows[0]), &answers); err != nil {
		return fmt.Errorf("cannot read the time of the statement: %w", err)
	}
	for n, answer := range answers {
		if n < len(places) {
			w.Constants[places[n]] = constant(answer[0], answer[1])
		}
	}
	return nil
}

// constant is a JSON value as a constant of the type; "" if it is none.
func constant(value, kind json.RawMessage) string {
	var text, typeName string
	if json.Unmarshal(kind, &typeName) != nil {
		return ""
	}
	switch {
	case string(value) == "null":
		return "CAST(NULL AS " + typeName + ")"
	case json.Unmarshal(value, &text) != nil:
		text = string(value) // a number or a truth value
	}
	if strings.ContainsAny(text, `\{[`) {
		return ""
	}
	return "CAST('" + strings.ReplaceAll(text, "'", "''") + "' AS " + typeName + ")"
}
