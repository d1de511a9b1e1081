package facts

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// The parts of the question. resolve.sql is always asked, and finds what relations.sql and those behind it are about; the others are asked with them where they
// are wanted. Many small ones cost the server far less than a large one, to plan and to begin, whatever it then reads.
var (
	//go:embed resolve.sql
	resolveText string
	//go:embed neighbours.sql
	neighboursSQL string
	// resolveSQL and resolveAllSQL are resolve.sql without and with neighbours.sql.
	resolveSQL = strings.ReplaceAll(resolveText, "$neighbours",
		"SELECT NULL::pg_catalog.text AS parents, NULL::pg_catalog.text AS whole, NULL::pg_catalog.text AS keys, NULL::pg_catalog.text AS referencing")
	resolveAllSQL = strings.ReplaceAll(resolveText, "$neighbours", neighboursSQL)
	//go:embed session.sql
	sessionSQL string
	//go:embed relations.sql
	relationsText string
	relationsSQL  = builtin(relationsText)
	//go:embed columns.sql
	columnsText string
	columnsSQL  = builtin(columnsText)
	// describedSQL is both: to begin a statement takes about as long as to read what it is about. What is nearly always asked together is one statement; more are
	// not: each has to be planned in each session.
	describedSQL = relationsSQL + "UNION ALL\n" + columnsSQL
	//go:embed indexes.sql
	indexesText string
	indexesSQL  = builtin(indexesText)
	//go:embed constraints.sql
	constraintsSQL string
	// indexedSQL is both of the two before.
	indexedSQL = indexesSQL + "UNION ALL\n" + constraintsSQL
	//go:embed busy.sql
	busySQL string
	//go:embed writers.sql
	writersSQL string
	//go:embed transaction.sql
	transactionSQL string
	//go:embed taken.sql
	takenSQL string
	//go:embed sibling.sql
	siblingSQL string
	//go:embed defaults.sql
	defaultsSQL string
	//go:embed dependents.sql
	dependentsSQL string
)

// Wanted is a name that facts are asked about.
type Wanted struct {
	Name ddl.Name
	// Index is the name of an index about to be made on it: asks for the Sibling. "" for none.
	Index string
	// Candidates are the names that the server would choose from for what the statement leaves unnamed (an index, or a constraint
	// if Constraint is true): asks for Taken.
	Candidates []string
	Constraint bool
	// Definitions asks for the definitions of its constraints and indexes and the bounds of its partitions, Defaults for the defaults of its columns, too. The
	// server opens the relation for the first: where another transaction drops it at that very moment the whole question fails, as the statement would.
	Definitions, Defaults bool
	// Partitions asks for its partitions as well, under their qualified keys, if it is a partitioned table that is not empty, or an index of
	// one. That takes a second question.
	Partitions bool
	// Addition is the part between the table and the label of the names that the server would choose for an index on each partition: asks
	// which of those are taken. "" is not to ask.
	Addition string
	// Bound is the partition bound that the table is to get a partition for: asks for the default partition, under its qualified key, and
	// which scans the server can spare. Child is the table that is attached, wanted too; zero for one that is made. That takes more questions.
	Bound *ddl.Bound
	Child ddl.Name
	// NoIndexes and NoConstraints spare its indexes and constraints, where nothing else in the question asks for any: then none are known of it.
	NoIndexes, NoConstraints bool
	// Guess spares more at first; zero for nothing.
	Guess Guess
	// Parents asks for the tables that its foreign keys reference, too, and for the one that it is a partition of; they are found under their
	// own qualified keys.
	Parents bool
	// Writers asks who is in the way of a foreign key to it (Relation.Busy).
	Writers bool
	// Children asks for its partitions and inheritance children, described like itself, too.
	Children bool
	// Dependents asks for what depends on it (Relation.Depends).
	Dependents bool
	// Cascaded is the ALTER TYPE … CASCADE of a composite type: asks for the tables OF it (TablesOf) and for what has to be known to judge the ALTER TABLE that
	// it is for each of them (ddl.Cascaded). Where there are any, that takes more questions.
	Cascaded *ddl.Statement
	// Emptied asks for the tables that reference it, and those that reference them, with their Depends: TRUNCATE … CASCADE empties them all. That takes
	// more questions.
	Emptied bool
	// Types asks for types, Functions for functions, whatever the Name, which may be zero; Changed are columns of the relation
	// whose types are to be known, too, with the casts among them all. Users asks for the columns of the types, and for the functions
	// themselves with what depends on them.
	Types     []ddl.TypeName
	Functions []ddl.Name
	Changed   []string
	Users     bool
	// Collations asks for collations, where types are asked for.
	Collations []ddl.Name
	// Schemas asks for schemas.
	Schemas []string
	// Write is a statement that changes rows: asks what the planner expects it to change and, of an UPDATE or DELETE, whether it can be split. That
	// takes up to three more questions.
	Write *ddl.Statement
}

// For is what has to be known to judge and plan a statement. It is empty for a statement that no fact could change the verdict of.
func For(stmt ddl.Statement) []Wanted {
	var wanted []Wanted
	add := func(w Wanted) { wanted = with(wanted, []Wanted{w}) }
	noIndexes, noConstraints := spared(stmt)
	for _, w := range partsWanted(stmt) {
		add(w)
	}
	switch action := stmt.Action.(type) {
	case ddl.LockTable, ddl.Transaction, ddl.Setting:
		return nil
	case ddl.CreateIndex:
		add(Wanted{Name: action.Table, Index: action.Name, Candidates: unnamedIndex(stmt, action),
			Partitions: !action.Only, Addition: indexAddition(stmt)})
	case ddl.AlterTable:
		add(withTypes(action, Wanted{Name: action.Table, Parents: needsParents(action), Definitions: needsProof(action), Dependents: mayFill(action),
			Candidates: unnamedConstraints(stmt, action), Constraint: true}))
		if ddl.Cascades(action) {
			add(Wanted{Name: action.Table, Dependents: true, Types: []ddl.TypeName{{Name: action.Table}}, Cascaded: &stmt})
		}
		if names := unnamedRelations(stmt, action); len(names) > 0 {
			wanted = append(wanted, Wanted{Name: action.Table, Candidates: names})
		}
	case ddl.Drop:
		if action.Object != "TABLE" && action.Object != "INDEX" {
			break
		}
		for _, name := range action.Names {
			add(Wanted{Name: name, Parents: action.Object == "TABLE"})
		}
	case ddl.CreateTable:
		if action.IfNotExists && (len(action.Parents) > 0 || !hasKey(action)) {
			add(Wanted{Name: action.Table})
		}
	case ddl.Write:
		if action.Reach == ddl.EveryRow {
			add(Wanted{Name: action.Target})
		}
	}
	if changed := explained(stmt); changed != nil {
		write, _ := stmt.Action.(ddl.Write)
		add(Wanted{Name: write.Target})
		wanted = append(wanted, Wanted{Write: changed})
	}
	for _, inner := range stmt.Inner {
		for _, w := range For(inner.Statement) {
			w.Write = nil // it is planned with the whole, or not before it runs
			add(w)
		}
	}
	parents := ddl.Referenced(stmt)
	for _, ref := range stmt.Refs {
		if ref.Lock.BlocksWriters() {
			add(Wanted{Name: ref.Name, Writers: slices.Contains(parents, ref.Name)})
		}
	}
	wanted = with(wanted, slices.Concat(affected(stmt), cast(stmt)))
	for i := range wanted {
		wanted[i].NoIndexes, wanted[i].NoConstraints, wanted[i].Guess = noIndexes, noConstraints, guessed(stmt)
	}
	return wanted
}

// hasKey reports whether a table is made with a primary key.
func hasKey(create ddl.CreateTable) bool {
	isKey := func(k ddl.Constraint) bool { return k.Type == ddl.PrimaryKey }
	return slices.ContainsFunc(create.Constraints, isKey) ||
		slices.ContainsFunc(create.Columns, func(column ddl.Column) bool { return slices.ContainsFunc(column.Constraints, isKey) })
}

// with adds what more has to be known, to the same names where they are asked about already. Of the names that statements leave to the server only those of
// the first are asked about: the answer does not tell whose they are.
func with(wanted, more []Wanted) []Wanted {
	for _, w := range more {
		at := slices.IndexFunc(wanted, func(other Wanted) bool { return other.Name == w.Name })
		switch {
		case w.Name.Name == "" && !w.asksNames() && len(w.Schemas) == 0 && w.Write == nil:
		case w.Name.Name == "" || at < 0:
			wanted = append(wanted, w)
		default:
			wanted[at].also(w)
		}
	}
	return wanted
}

// also asks what another one asks about the same relation.
func (w *Wanted) also(other Wanted) {
	w.Definitions, w.Defaults = w.Definitions || other.Definitions, w.Defaults || other.Defaults
	w.Partitions, w.Parents = w.Partitions || other.Partitions, w.Parents || other.Parents
	w.Writers, w.Children, w.Dependents = w.Writers || other.Writers, w.Children || other.Children, w.Dependents || other.Dependents
	w.NoIndexes, w.NoConstraints = w.NoIndexes && other.NoIndexes, w.NoConstraints && other.NoConstraints
	if w.Guess != other.Guess {
		w.Guess = noGuess
	}
	w.Emptied, w.Users = w.Emptied || other.Emptied, w.Users || other.Users
	w.Types, w.Functions = slices.Concat(w.Types, other.Types), slices.Concat(w.Functions, other.Functions)
	w.Changed, w.Collations = slices.Concat(w.Changed, other.Changed), slices.Concat(w.Collations, other.Collations)
	w.Schemas, w.Cascaded = slices.Concat(w.Schemas, other.Schemas), cmp.Or(w.Cascaded, other.Cascaded)
}

// explained is what of a statement that changes many rows, or may, the planner is to be asked about: itself, or what EXPLAIN ANALYZE runs; nil of
// any other.
func explained(stmt ddl.Statement) *ddl.Statement {
	if !ddl.Changes(stmt) {
		return nil
	}
	if inner := ddl.Analyzed(stmt); inner != nil {
		return &inner.Statement
	}
	return &stmt
}

// needsProof reports whether it matters what the constraints of the table say: they could spare the statement its scan, are dropped, or have to be added again.
func needsProof(alter ddl.AlterTable) bool {
	return slices.ContainsFunc(alter.Commands, func(c ddl.AlterCommand) bool {
		return c.Op == "SetNotNull" || c.Op == "DropConstraint" || c.Enforced == "ENFORCED" || c.Constraint != nil && c.Constraint.Type == ddl.PrimaryKey
	})
}

// needsParents reports whether more is done to the table than that something is added to it: then the locks of the tables that its foreign keys reference may
// matter.
func needsParents(alter ddl.AlterTable) bool {
	return slices.ContainsFunc(alter.Commands, func(c ddl.AlterCommand) bool {
		return c.Op != "AddColumn" && c.Op != "AddConstraint" && c.Op != "SetNotNull"
	})
}

// mayFill reports whether rows that exist may need values of their own for a new column: then triggers matter that would run for them.
func mayFill(alter ddl.AlterTable) bool {
	return slices.ContainsFunc(alter.Commands, func(c ddl.AlterCommand) bool {
		return c.Op == "AddColumn" && c.Column != nil && (c.Column.Identity || c.Column.Serial() || len(c.Column.DefaultCalls) > 0)
	})
}

// withTypes adds what has to be known of the columns that an ALTER TABLE adds and of those whose type it changes: types, functions, and
// for the latter all that depends on them.
func withTypes(alter ddl.AlterTable, wanted Wanted) Wanted {
	for _, command := range alter.Commands {
		switch {
		case command.Op == "AddColumn" && command.Column != nil:
			// Whether it is a domain is all that matters of it.
			if t := command.Column.TypeName(); !command.Column.Serial() && !t.Keyword() {
				wanted.Types = append(wanted.Types, t)
			}
			wanted.Functions = append(wanted.Functions, command.Column.DefaultCalls...)
		case command.Op == "AlterColumnType" && command.Column != nil:
			wanted.Definitions, wanted.Defaults, wanted.Dependents, wanted.Children = true, true, true, true
			if command.Column.Collate.Name != "" {
				wanted.Collations = append(wanted.Collations, command.Column.Collate)
			}
			wanted.Types = append(append(wanted.Types, command.Column.TypeName()), command.Column.UsingCasts...)
			wanted.Changed = append(wanted.Changed, command.Name)
		}
	}
	return wanted
}

// unnamedIndex are the names that the server chooses from for a CREATE INDEX without one; none if the text cannot be read again.
func unnamedIndex(stmt ddl.Statement, create ddl.CreateIndex) []string {
	if create.Name != "" {
		return nil
	}
	names, _ := indexCandidates(stmt, create.Table.Name)
	return names
}

// Prepare asks about nothing, so that the server has planned what most statements need.
func Prepare(ctx context.Context, server PartsQuerier) error {
	parameter, err := encode(nil)
	if err != nil {
		return err
	}
	parts := []string{describedSQL, indexedSQL, transactionSQL, takenSQL, siblingSQL, defaultsSQL, typesSQL, castsSQL, functionsSQL}
	_, err = ask(ctx, server, sessionSQL, resolveSQL, parts, parameter)
	return err
}

// Read asks the server, in one round trip (more where a guess does not hold, where Partitions, Bound, Emptied or Write asks, for partitioned tables, domains and enums, and where more depends on a
// relation than nearly every table has), about the session and the names. Where the server has the question planned already it takes about a millisecond, and
// half as much more with types and functions, or with definitions; to plan it takes several times as long. A partition that is described, too
// (Wanted.Children), takes a quarter of a millisecond.
// It waits no more than a millisecond for a lock, and does not fail on what it is asked about. An error means that the server could not be asked (a lost connection, a cancel), and
// facts that know nothing.
func Read(ctx context.Context, server Querier, wanted []Wanted) (Facts, error) {
	less, guessed := lean(wanted)
	q, certain, err := read(ctx, server, less)
	if err == nil && certain && guessed && q.known.wrong(wanted) {
		q, certain, err = read(ctx, server, wanted)
	}
	if err == nil && certain {
		err = q.addDistributed(ctx, server)
	}
	if err != nil || !certain {
		return Facts{}, err
	}
	known := q.known
	for _, add := range []func(context.Context, Querier, Facts, []Wanted) error{addPartitions, addTyped, addProofs, addReferencing} {
		if err := add(ctx, server, known, wanted); err != nil {
			return Facts{}, err
		}
	}
	if err := addWriting(ctx, server, &known, wanted); err != nil {
		return Facts{}, err
	}
	return known, nil
}

// part is a part of the question that answers with JSON, with what adds that to what is known.
type part struct {
	sql string
	add func(document []byte) error
}

// read asks what one round trip can answer, and another one where there are trees of relations, a type that is not plain (addNamed), or an index that is invalid. It
// is false if what the trees answer does not fit what was answered before: then somebody is changing the tables, and nothing is known of them for certain.
func read(ctx context.Context, server Querier, wanted []Wanted) (*question, bool, error) {
	parameter, err := encode(wanted)
	if err != nil {
		return nil, false, err
	}
	q := newQuestion(wanted)
	var texts []string
	if slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Name.Name != "" }) {
		texts = append(texts, describedSQL)
	}
	asksIndexes := slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Name.Name != "" && !w.NoIndexes })
	asksConstraints := slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Name.Name != "" && !w.NoConstraints })
	switch {
	case asksIndexes && asksConstraints:
		texts = append(texts, indexedSQL)
	case asksIndexes:
		texts = append(texts, indexesSQL)
	case asksConstraints:
		texts = append(texts, constraintsSQL)
	}
	if slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Definitions && w.Defaults }) {
		texts = append(texts, defaultsSQL)
	}
	if slices.ContainsFunc(wanted, func(w Wanted) bool { return len(w.Candidates) > 0 }) {
		texts = append(texts, takenSQL)
	}
	if slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Index != "" }) {
		texts = append(texts, siblingSQL)
	}
	if slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Writers }) {
		texts = append(texts, writersSQL)
	}
	texts = append(texts, nameParts(wanted)...)
	asksDepends := slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Dependents }) && !slices.ContainsFunc(wanted, Wanted.asksUsers)
	finder := resolveSQL
	if asksDepends {
		texts = append(texts, dependedSQL)
	}
	if asksDepends || slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Parents }) {
		finder = resolveAllSQL
	}
	parts := q.parts(mayHold(server))
	for _, part := range parts {
		texts = append(texts, part.sql)
	}
	first, err := ask(ctx, server, sessionSQL, finder, texts, parameter)
	if err != nil {
		return nil, false, err
	}
	if len(first.documents) != len(parts) {
		return nil, false, fmt.Errorf("cannot read facts: %d answers instead of %d", len(first.documents), len(parts))
	}
	if err := q.addFound(first); err != nil {
		return nil, false, err
	}
	trees, err := q.askTrees(ctx, server)
	if err != nil {
		return nil, false, err
	}
	if err := q.describe(first, trees); err != nil {
		return nil, false, err
	}
	if err := q.addNamed(ctx, server, first); err != nil {
		return nil, false, err
	}
	for i, part := range parts {
		if err := part.add(first.documents[i]); err != nil {
			return nil, false, err
		}
	}
	if err := q.addBuilding(ctx, server); err != nil {
		return nil, false, err
	}
	certain, err := q.addPartitioned(trees)
	if err == nil && certain && asksDepends {
		err = q.addDepends(ctx, server, first)
	}
	return q, certain, err
}

// parts are those that answer with JSON.
func (q *question) parts(held bool) []part {
	var parts []part
	if held {
		parts = append(parts, part{transactionSQL, q.addTransaction})
	}
	if slices.ContainsFunc(q.wanted, Wanted.asksUsers) {
		parts = append(parts, part{dependentsSQL, func(document []byte) error { return q.known.addDependents(document, q.wanted) }})
	}
	return parts
}

// mayHold reports whether the session's transaction may hold locks.
func mayHold(server Querier) bool {
	several, ok := server.(PartsQuerier)
	return !ok || several.MayHold()
}

// asksUsers reports whether dependents.sql is asked for more than relations.
func (w Wanted) asksUsers() bool { return len(w.Schemas) > 0 || w.Users && w.asksNames() }

func encode(wanted []Wanted) (string, error) {
	type word struct {
		Schema string `json:"schema"`
		Name   string `json:"name"`
		Array  bool   `json:"array"`
	}
	type name struct {
		Number     int      `json:"number"`
		Name       string   `json:"name"` // quoted; "" for an entry about no relation
		Schema     string   `json:"schema,omitempty"`
		Index      string   `json:"index,omitempty"`
		Candidates []string `json:"candidates,omitempty"`
		Constraint bool     `json:"constraint"`
		Parents    bool     `json:"parents"`
		Defined    bool     `json:"defined"`
		Dependents bool     `json:"dependents"`
		Writers    bool     `json:"writers"`
		Users      bool     `json:"users"`
		Children   bool     `json:"children"`
		Collations []word   `json:"collations,omitempty"`
		Types      []word   `json:"types,omitempty"`
		Functions  []word   `json:"functions,omitempty"`
		Changed    []string `json:"changed,omitempty"`
		Schemas    []string `json:"schemas,omitempty"`
	}
	names := make([]name, len(wanted))
	for i, w := range wanted {
		n := name{
			Number: i, Schema: w.Name.Schema, Index: w.Index, Candidates: w.Candidates, Constraint: w.Constraint, Parents: w.Parents,
			Defined: w.Definitions, Dependents: w.Dependents, Writers: w.Writers, Users: w.Users, Changed: w.Changed, Schemas: w.Schemas, Children: w.Children,
		}
		if w.Name.Name != "" {
			n.Name = Key(w.Name.Schema, w.Name.Name)
		}
		for _, t := range w.Types {
			n.Types = append(n.Types, word{t.Name.Schema, t.Name.Name, t.Array})
		}
		for _, f := range w.Functions {
			n.Functions = append(n.Functions, word{f.Schema, f.Name, false})
		}
		for _, c := range w.Collations {
			n.Collations = append(n.Collations, word{c.Schema, c.Name, false})
		}
		names[i] = n
	}
	text, err := json.Marshal(names)
	if err != nil {
		return "", fmt.Errorf("cannot encode the names to read facts of: %w", err)
	}
	return hex.EncodeToString(text), nil
}
