package facts

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

var (
	//go:embed depends.sql
	dependsSQL string
	//go:embed referencing.sql
	referencingSQL string
	//go:embed references.sql
	referencesText string
	// referencesSQL is about the foreign keys that resolve.sql has found, otherReferencesSQL about the constraints that referencing.sql is about.
	referencesSQL = strings.ReplaceAll(referencesText, "$constraints", "pg_catalog.split_part($about, ' ', 11)")
	// dependedSQL is what the first question asks of what depends on relations.
	dependedSQL        = dependsSQL + "UNION ALL\n" + referencesSQL
	otherReferencesSQL = strings.ReplaceAll(referencesText, "$constraints", "pg_catalog.split_part($about, ' ', 6)")
	//go:embed views.sql
	viewsSQL string
	//go:embed triggers.sql
	triggersSQL string
	//go:embed policies.sql
	policiesSQL string
	//go:embed statistics.sql
	statisticsSQL string
	//go:embed publications.sql
	publicationsSQL string
)

// The OIDs of catalogs, which are the same in every database.
const (
	pgType           = 1247
	pgClass          = 1259
	pgAttrdef        = 2604
	pgConstraint     = 2606
	pgRewrite        = 2618
	pgTrigger        = 2620
	pgPolicy         = 3256
	pgStatisticExt   = 3381
	pgPublicationRel = 6106
)

// dependency is a row of pg_depend: what depends on a relation or one of its columns, or on the type of its rows.
type dependency struct {
	on     uint32 // the catalog of what it depends on: pg_class or pg_type
	column int
	class  uint32
	oid    uint32
	part   int    // the column that depends
	how    string // deptype
	// kind, schema and name are known of a relation.
	kind, schema, name string
	// table is how the relation is written, where it is one of its own columns that depends.
	table string
}

// readDependency reads the end of a row of depends.sql or views.sql. Its class is 0 where there is none.
func readDependency(r *row) dependency {
	return dependency{
		on: r.oid(), column: int(r.integer(0)), class: r.oid(), oid: r.oid(), part: int(r.integer(0)), how: r.text(),
		kind: r.text(), schema: r.schema(), name: r.text(), table: r.text(),
	}
}

// depends is what depends on the relations, as it is found.
type depends struct {
	*question
	published    bool // whether there is any publication
	on           map[uint32][]dependency
	constraints  map[uint32]constraintFound
	rules        map[uint32]ruleFound
	triggers     map[uint32]triggerFound
	policies     map[uint32]policyFound
	named        map[uint32]Dependent // statistics, and publications by the OID of their entry
	publications map[uint32][]string
}

type constraintFound struct {
	Reference
	kind          string
	table, of     uint32 // the table that it is of, and the one that it references
	parent        uint32
	keys, parents []int
	names         []string // of the keys, by their number
}

// ruleFound is a rule with the relation that it belongs to, and what depends on that if it is a view.
type ruleFound struct {
	name       string
	relation   uint32
	kind       string
	schema, of string
	table      string
	on         []dependency
}

type triggerFound struct {
	Trigger
	relation      uint32
	schema, table string
}

type policyFound struct {
	Policy
	relation      uint32
	schema, table string
}

// addDepends adds the rows of depends.sql, which are about the relations that resolve.sql has found. What they do not tell takes another question, of parts for what is
// there; and where that is nothing that nearly every relation may have, dependents.sql is asked for all of it.
func (q *question) addDepends(ctx context.Context, server Querier, first answers) error {
	if first.about[3] == "{}" {
		return nil
	}
	relations, err := parseNumbers(first.about[3])
	if err != nil {
		return fmt.Errorf("cannot decode facts: %w", err)
	}
	d := depends{
		question: q, on: map[uint32][]dependency{}, constraints: map[uint32]constraintFound{}, rules: map[uint32]ruleFound{}, triggers: map[uint32]triggerFound{},
		policies: map[uint32]policyFound{}, named: map[uint32]Dependent{}, publications: map[uint32][]string{},
	}
	for _, oid := range as[uint32](relations) {
		if q.seen[oid] != nil {
			d.on[oid] = nil
		}
	}
	if err := d.addFirst(first); err != nil {
		return err
	}
	if err := d.ask(ctx, server); err != nil {
		return err
	}
	for oid := range d.on {
		found, all := d.of(oid)
		if !all {
			return q.askDependents(ctx, server)
		}
		for _, r := range q.known.Relations {
			if r != nil && r.OID == oid {
				r.Depends = found
			}
		}
	}
	return nil
}

// addFirst adds the rows of depends.sql.
func (d *depends) addFirst(first answers) error {
	d.published = len(first.rows["published"]) > 0
	for _, r := range first.rows["depend"] {
		relation, on := r.oid(), r.oid()
		found := readDependency(r)
		if err := r.end(); err != nil {
			return err
		}
		if _, ok := d.on[relation]; ok && (found.on != pgClass || on == relation) {
			d.on[relation] = append(d.on[relation], found)
		}
	}
	return d.add(answers{rows: map[string][]*row{"trigger": first.rows["trigger"], "reference": first.rows["reference"]}})
}

// ask asks what the rows of depends.sql do not tell, if there is anything.
func (d *depends) ask(ctx context.Context, server Querier) error {
	var constraints, rules, triggers, policies, statistics, tables, entries []uint32
	for relation, on := range d.on {
		for _, oid := range d.foreignConstraints(relation) {
			if _, ok := d.constraints[oid]; !ok {
				constraints = append(constraints, oid)
			}
		}
		rules = append(rules, unknown(on, pgRewrite)...)
		for _, found := range on {
			switch {
			case found.class == pgTrigger && d.triggers[found.oid].OID == 0: // of another relation
				triggers = append(triggers, found.oid)
			case found.class == pgPolicy:
				policies = append(policies, found.oid)
			case found.class == pgStatisticExt:
				statistics = append(statistics, found.oid)
			case found.class == pgPublicationRel && found.column > 0:
				entries = append(entries, found.oid)
			}
		}
		if r := d.byOID[relation]; d.published && r != nil && r.Persistence == "p" && (r.Kind == "r" || r.Kind == "p") {
			tables = append(tables, relation)
		}
	}
	var parts []string
	add := func(part string, about ...[]uint32) {
		if len(slices.Concat(about...)) > 0 {
			parts = append(parts, part)
		}
	}
	add(viewsSQL, rules)
	add(triggersSQL, triggers)
	add(policiesSQL, policies)
	add(statisticsSQL, statistics)
	add(publicationsSQL, tables, entries)
	if len(parts) == 0 && len(constraints) == 0 {
		return d.askBelow(ctx, server)
	}
	lists := [][]uint32{constraints, rules, triggers, policies, statistics, tables, entries}
	var a answers
	var err error
	if len(constraints) > 0 {
		a, err = ask(ctx, server, "", referencingSQL, append(parts, relationsSQL, otherReferencesSQL), words(lists))
	} else {
		a, err = askAbout(ctx, server, parts, lists...)
	}
	if err != nil {
		return err
	}
	if err := d.add(a); err != nil {
		return err
	}
	if err := d.askViews(ctx, server); err != nil {
		return err
	}
	return d.askBelow(ctx, server)
}

// foreignConstraints are those of other tables, and the foreign keys that reference their own.
func (d *depends) foreignConstraints(relation uint32) []uint32 {
	known := map[uint32]uint32{} // with the table that it references
	if r := d.byOID[relation]; r != nil {
		for _, k := range r.Constraints {
			known[k.OID] = k.Parent
		}
	}
	var list []uint32
	for _, found := range d.on[relation] {
		parent, ok := known[found.oid]
		if found.class == pgConstraint && found.on == pgClass && (parent == relation || !ok) && !slices.Contains(list, found.oid) {
			list = append(list, found.oid)
		}
	}
	return list
}

// owned are those of a catalog that belong to the relation itself: they go with it.
func owned(on []dependency, class uint32) map[uint32]bool {
	own := map[uint32]bool{}
	for _, found := range on {
		if found.class == class && (found.how == "a" || found.how == "i") {
			own[found.oid] = true
		}
	}
	return own
}

// unknown are those of a catalog that belong to others.
func unknown(on []dependency, class uint32) []uint32 {
	own := owned(on, class)
	var list []uint32
	for _, found := range on {
		if found.class == class && !own[found.oid] && !slices.Contains(list, found.oid) {
			list = append(list, found.oid)
		}
	}
	return list
}

// askViews asks about views over views, once for each level.
func (d *depends) askViews(ctx context.Context, server Querier) error {
	for {
		var next []uint32
		for _, view := range d.rules {
			for _, oid := range unknown(view.on, pgRewrite) {
				if _, ok := d.rules[oid]; !ok && !slices.Contains(next, oid) {
					next = append(next, oid)
				}
			}
		}
		if len(next) == 0 {
			return nil
		}
		a, err := askAbout(ctx, server, []string{viewsSQL}, nil, next)
		if err != nil {
			return err
		}
		before := len(d.rules)
		if err := d.add(a); err != nil {
			return err
		}
		if len(d.rules) == before {
			return nil // they are dropped meanwhile
		}
	}
}

// askBelow asks about the partitions and children of referencing tables, if they have any.
func (d *depends) askBelow(ctx context.Context, server Querier) error {
	var roots []treeRoot
	for _, k := range d.constraints {
		m := d.members[k.table]
		if m != nil && d.byOID[k.table] == nil && (m.Kind == "p" || m.Rooted) {
			roots = append(roots, treeRoot{OID: k.table})
		}
	}
	if len(roots) == 0 {
		return nil
	}
	parameter, err := hexJSON(roots)
	if err != nil {
		return err
	}
	a, err := ask(ctx, server, "", treeSQL, []string{relationsSQL, edgesSQL}, parameter)
	if err != nil {
		return err
	}
	if err := d.addRelations(a); err != nil {
		return err
	}
	return d.addEdges(a.rows["edge"])
}

// add adds the rows of the second question.
func (d *depends) add(a answers) error {
	if err := d.addRelations(a); err != nil {
		return err
	}
	for _, kind := range []struct {
		name string
		add  func(*row)
	}{
		{"reference", d.addConstraint}, {"rule", d.addRule}, {"trigger", d.addTrigger}, {"policy", d.addPolicy}, {"statistics", d.addStatistics},
		{"publication", d.addPublication}, {"entry", d.addEntry},
	} {
		for _, r := range a.rows[kind.name] {
			kind.add(r)
			if err := r.end(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *depends) addConstraint(r *row) {
	k := constraintFound{Reference: Reference{OID: r.oid(), Name: r.text()}, kind: r.text(), table: r.oid(), of: r.oid(), parent: r.oid()}
	k.Validated, k.keys, k.names, k.parents = r.truth(), r.ints(), r.texts(), r.ints()
	k.OnDelete, k.OnUpdate, k.Index, k.Definition, k.Covered = r.text(), r.text(), r.oid(), r.text(), r.truth()
	d.constraints[k.OID] = k
}

func (d *depends) addRule(r *row) {
	oid := r.oid()
	found := ruleFound{name: r.text(), relation: r.oid(), kind: r.text(), schema: r.schema(), of: r.text(), table: r.text()}
	found.on = append(d.rules[oid].on, readDependency(r))
	d.rules[oid] = found
}

func (d *depends) addTrigger(r *row) {
	oid := r.oid()
	found := triggerFound{relation: r.oid(), schema: r.schema(), table: r.text()}
	found.Trigger = Trigger{OID: oid, Name: r.text(), Function: r.text(), Enabled: r.text()}
	found.setBits(int(r.integer(0)))
	found.Constraint = r.truth()
	d.triggers[oid] = found
}

func (d *depends) addPolicy(r *row) {
	oid := r.oid()
	found := policyFound{relation: r.oid(), schema: r.schema(), table: r.text()}
	found.Policy = Policy{OID: oid, Name: r.text(), Command: r.text(), Permissive: r.truth()}
	d.policies[oid] = found
}

func (d *depends) addStatistics(r *row) {
	oid := r.oid()
	d.named[oid] = Dependent{Kind: "statistics", OID: oid, Schema: r.schema(), Name: r.text()}
}

func (d *depends) addPublication(r *row) {
	relation := r.oid()
	d.publications[relation] = append(d.publications[relation], r.text())
}

func (d *depends) addEntry(r *row) {
	entry := r.oid()
	d.named[entry] = Dependent{Kind: "publication", OID: r.oid(), Name: r.text()}
}

// of puts together what depends on a relation. It is false if there is more than is known here.
func (d *depends) of(oid uint32) (found *Depends, all bool) {
	relation := d.byOID[oid]
	if relation == nil {
		relation = &Relation{OID: oid} // an index, whose columns nothing depends on
	}
	direct, all := d.objects(relation)
	indirect, whole := d.indirect(oid)
	references, known := d.references(relation)
	found = &Depends{References: references, Publications: slices.Sorted(slices.Values(d.publications[oid])), Grants: d.grants(relation)}
	for _, o := range append(direct, indirect...) {
		found.Objects = append(found.Objects, o.Dependent)
	}
	for _, t := range d.triggers {
		if t.relation == oid {
			found.Triggers = append(found.Triggers, t.Trigger)
		}
	}
	for _, id := range ids(d.on[oid], pgPolicy) {
		if p, ok := d.policies[id]; ok && p.relation == oid {
			found.Policies = append(found.Policies, p.Policy)
		}
	}
	slices.SortFunc(found.Triggers, func(a, b Trigger) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(found.Policies, func(a, b Policy) int { return cmp.Compare(a.Name, b.Name) })
	return found, all && whole && known
}

// ids are those of a catalog, each once.
func ids(on []dependency, class uint32) []uint32 {
	var list []uint32
	for _, found := range on {
		if found.class == class && !slices.Contains(list, found.oid) {
			list = append(list, found.oid)
		}
	}
	return list
}

// references are the foreign keys that reference a relation. It is false if a constraint of another kind of another table depends on it.
func (d *depends) references(relation *Relation) (list []Reference, all bool) {
	all = true
	for _, oid := range d.foreignConstraints(relation.OID) {
		k, ok := d.constraints[oid]
		table := d.table(k.table)
		switch {
		case !ok:
		case k.kind != "f":
			all = all && k.table == relation.OID
		case k.of != relation.OID || d.constraints[k.parent].of == k.of || table == nil || len(k.names) == 0:
		default:
			reference := k.Reference
			reference.Table = *table
			sorted := slices.Compact(slices.Sorted(slices.Values(k.keys)))
			for i, num := range k.keys {
				at, _ := slices.BinarySearch(sorted, num)
				if at < len(k.names) && i < len(k.parents) {
					reference.Columns = append(reference.Columns, k.names[at])
					reference.ParentColumns = append(reference.ParentColumns, relation.columnName(k.parents[i]))
				}
			}
			list = append(list, reference)
		}
	}
	slices.SortFunc(list, func(a, b Reference) int {
		return cmp.Or(cmp.Compare(a.Table.OID, b.Table.OID), cmp.Compare(a.Name, b.Name))
	})
	return list, all
}

// table is what is known of a table that references another one.
func (d *depends) table(oid uint32) *Relation {
	r := d.seen[oid]
	if r == nil {
		return nil
	}
	table := &Relation{
		OID: oid, Schema: r.Schema, Name: r.Name, Kind: r.Kind, Persistence: r.Persistence, Owner: r.Owner, MayAlter: r.MayAlter, Readable: r.Readable,
		PartitionOf: r.PartitionOf, CreatedHere: slices.Contains(d.created, oid),
	}
	d.measure(table)
	table.Descendants = 0
	return table
}
