package facts

import (
	"cmp"
	"math"
	"slices"
)

// object is a dependent object, and the number of the column that it depends on, which its place in the list follows.
type object struct {
	Dependent
	num int
}

// objects are those that depend on a relation itself, in order. It is false if there are others than are known here.
func (d *depends) objects(relation *Relation) (list []object, all bool) {
	all = true
	on := grouped(d.on[relation.OID])
	rules, defaults := owned(d.on[relation.OID], pgRewrite), ownDefaults(d.on[relation.OID])
	for _, found := range on {
		o, ok := Dependent{}, true
		switch {
		case found.class == pgType, found.class == pgConstraint && found.on == pgClass, found.class == pgRewrite && rules[found.oid]:
			continue
		case found.on != pgClass: // what uses the type of its rows
			return nil, false
		case found.class == pgClass && found.oid == relation.OID:
			o, ok = ownColumn(relation, found.part, found), found.column > 0 && found.part > 0
		case found.class == pgClass:
			o, ok = relationObject(found)
		case found.class == pgAttrdef:
			num, own := defaults[found.oid]
			if !own {
				return nil, false
			}
			o, ok = ownColumn(relation, num, found), num != found.column
		case found.class == pgRewrite:
			o, ok = d.rule(found.oid)
		case found.class == pgTrigger:
			t, there := d.triggers[found.oid]
			o = Dependent{Kind: "trigger", OID: t.OID, Schema: cmp.Or(t.schema, relation.Schema), Name: t.Name, Table: cmp.Or(t.table, found.table)}
			ok = there && (t.relation != relation.OID || found.column != 0)
		case found.class == pgPolicy:
			p, there := d.policies[found.oid]
			o = Dependent{Kind: "policy", OID: p.OID, Schema: p.schema, Name: p.Name, Table: p.table}
			ok = there && (p.relation != relation.OID || found.column != 0)
		case found.class == pgPublicationRel && found.column == 0: // the entry itself
			continue
		case found.class == pgStatisticExt, found.class == pgPublicationRel:
			o, ok = d.named[found.oid]
		default:
			return nil, false
		}
		if !ok {
			continue
		}
		o.Auto = found.how != "n"
		if found.column > 0 {
			o.Column = relation.columnName(found.column)
		}
		list = append(list, object{o, found.column})
	}
	sortObjects(list)
	return list, all
}

// indirect are the objects that depend on the views over a relation, in order. It is false if there are others than views and what is known of them here.
func (d *depends) indirect(relation uint32) (list []object, all bool) {
	seen := map[uint32]bool{relation: true}
	for next := d.views(relation, d.on[relation]); len(next) > 0; {
		var over []ruleFound
		for _, view := range next {
			if seen[view.relation] {
				continue
			}
			seen[view.relation] = true
			over = append(over, d.views(view.relation, view.on)...)
			own := owned(view.on, pgRewrite)
			for _, found := range grouped(view.on) {
				o, ok := Dependent{}, false
				switch {
				case found.class == 0, found.class == pgType, found.class == pgRewrite && own[found.oid]:
				case found.class == pgRewrite:
					o, ok = d.rule(found.oid)
				case found.class == pgClass:
					o, ok = relationObject(found)
				default:
					return nil, false
				}
				if ok {
					o.Auto, o.Indirect = found.how != "n", true
					list = append(list, object{Dependent: o})
				}
			}
		}
		next = over
	}
	sortObjects(list)
	return list, true
}

// views are those over a relation.
func (d *depends) views(relation uint32, on []dependency) []ruleFound {
	var list []ruleFound
	for _, oid := range ids(on, pgRewrite) {
		if r, ok := d.rules[oid]; ok && r.name == "_RETURN" && r.relation != relation {
			list = append(list, r)
		}
	}
	return list
}

// rule is a view, or a rule of a relation's. It is false if it is not there any more.
func (d *depends) rule(oid uint32) (Dependent, bool) {
	r, ok := d.rules[oid]
	switch {
	case r.name != "_RETURN":
		return Dependent{Kind: "rule", OID: oid, Schema: r.schema, Name: r.name, Table: r.table}, ok
	case r.kind == "m":
		return Dependent{Kind: "materialized view", OID: r.relation, Schema: r.schema, Name: r.of}, ok
	}
	return Dependent{Kind: "view", OID: r.relation, Schema: r.schema, Name: r.of}, ok
}

// relationObject is a sequence, or a table: a partition, a child. It is false for a mere part of a relation (an index, the TOAST table), and for what is not there any more.
func relationObject(found dependency) (Dependent, bool) {
	switch found.kind {
	case "", "t", "i", "I":
		return Dependent{}, false
	case "S":
		return Dependent{Kind: "sequence", OID: found.oid, Schema: found.schema, Name: found.name}, true
	}
	return Dependent{Kind: "table", OID: found.oid, Schema: found.schema, Name: found.name}, true
}

// ownColumn is a column of the relation that depends on the relation: a generated one, or one with a default that names it.
func ownColumn(relation *Relation, num int, found dependency) Dependent {
	o := Dependent{Kind: "generated column", OID: found.oid, Schema: relation.Schema, Name: relation.columnName(num), Table: found.table}
	if c := relation.Column(o.Name); found.class == pgAttrdef && c != nil && c.Generated == "" {
		o.Kind = "default"
	}
	return o
}

// ownDefaults are the numbers of the columns whose defaults, or expressions, these are.
func ownDefaults(on []dependency) map[uint32]int {
	columns := map[uint32]int{}
	for _, found := range on {
		if found.class == pgAttrdef && found.on == pgClass && found.how != "n" && found.column > 0 {
			columns[found.oid] = found.column
		}
	}
	return columns
}

// grouped makes one of the dependencies that differ in their kind only: what depends normally does so for all.
func grouped(on []dependency) []dependency {
	var list []dependency
	for _, found := range on {
		at := slices.IndexFunc(list, func(d dependency) bool {
			return d.on == found.on && d.column == found.column && d.class == found.class && d.oid == found.oid && d.part == found.part
		})
		switch {
		case at < 0:
			list = append(list, found)
		case found.how == "n":
			list[at].how = found.how
		}
	}
	return list
}

// sortObjects sorts by kind and name, what has no schema and what depends on no column last.
func sortObjects(list []object) {
	last := func(num int) int { return cmp.Or(max(num, 0), math.MaxInt) }
	slices.SortStableFunc(list, func(a, b object) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Name, b.Name), cmp.Compare(last(a.num), last(b.num)))
	})
}
