package rules

import (
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// typeChange is what ALTER COLUMN … TYPE makes the server do to one column of one table, as its catalog says.
type typeChange struct {
	// impossible is true when there is no cast: the server says so at once.
	impossible bool
	// rewrites is true when every row is written anew, with all indexes.
	rewrites bool
	// rebuilt are the indexes that are built anew though the table is not.
	rebuilt []string
	// checked are the CHECK constraints that every row is held against again, validated the foreign keys of the table, references those of any table
	// that reference the column.
	checked    []string
	validated  []string
	references []facts.Reference
	// unknown is the fact that would decide, when rewrites is only assumed.
	unknown string
}

// harmless reports whether the change is one of the catalog alone.
func (c typeChange) harmless() bool {
	return c.impossible || !c.rewrites && len(c.rebuilt)+len(c.checked)+len(c.validated)+len(c.references) == 0
}

// changeOf finds out what becomes of the table's column; the table's descendants are looked at by the caller.
func changeOf(known facts.Facts, table *facts.Relation, column *facts.Column, to ddl.Column) typeChange {
	target := known.Types[facts.TypeKey(to.Type.Schema, to.Type.Name, to.Array)]
	source := known.TypeOf(column.TypeOID)
	if target == nil || source == nil {
		return typeChange{impossible: true}
	}
	value := coercion{known: known, typ: source, mod: column.TypeMod}
	value.using(to)
	change := typeChange{impossible: value.impossible, rewrites: value.rewrites, unknown: value.unknown}
	if change.impossible {
		return change
	}
	for _, i := range table.Indexes {
		for k, name := range i.Columns {
			_, has := target.Classes[i.Method]
			change.impossible = change.impossible || name == column.Name && i.Classes[k].OID == source.Classes[i.Method] && !has
		}
	}
	collation := target.Collation
	if to.Collate.Name != "" && collation != 0 {
		collation = known.Collations[facts.Key(to.Collate.Schema, to.Collate.Name)]
	}
	if !change.rewrites {
		change.rebuilt = rebuiltIndexes(table, column, source, target, collation)
	}
	sameKeys := !change.rewrites && source.Classes["btree"] == target.Classes["btree"]
	for _, k := range table.Constraints {
		if !k.Validated || !k.Enforced || !slices.Contains(k.Columns, column.Name) {
			continue
		}
		switch {
		case k.Type == "c":
			change.checked = append(change.checked, k.Name)
		case k.Type == "f" && !sameKeys:
			change.validated = append(change.validated, k.Name)
		}
	}
	for _, r := range references(table, column.Name) {
		if r.Validated && !sameKeys {
			change.references = append(change.references, r)
		}
	}
	return change
}

// references are the foreign keys that reference a column.
func references(table *facts.Relation, column string) []facts.Reference {
	if table.Depends == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(table.Depends.References), func(r facts.Reference) bool { return !slices.Contains(r.ParentColumns, column) })
}

// rebuiltIndexes are those that cannot be taken over though the table's rows stay as they are (CheckIndexCompatible of indexcmds.c): an operator
// class or a collation is another one, or there is an expression or a predicate, which the server does not compare.
func rebuiltIndexes(table *facts.Relation, column *facts.Column, source, target *facts.Type, collation uint32) []string {
	var rebuilt []string
	for _, i := range table.Indexes {
		if !slices.Contains(i.Mentions, column.Name) {
			continue
		}
		again := !i.Valid || i.Partial || i.Expression
		for k, name := range i.Columns {
			if name != column.Name {
				continue
			}
			class := i.Classes[k]
			again = again || class.OID == source.Classes[i.Method] && class.OID != target.Classes[i.Method] ||
				class.Polymorphic && class.Stored != target.OID || i.Collations[k] == column.Collation && i.Collations[k] != collation
		}
		if again {
			rebuilt = append(rebuilt, i.Name)
		}
	}
	return rebuilt
}

// coercion follows a value through the casts that the server puts around a column (parse_coerce.c), and tells whether what is left of them when
// the planner has simplified them changes a byte (ATColumnChangeRequiresRewrite of tablecmds.c).
type coercion struct {
	known facts.Facts
	// typ and mod are those of the value so far; a modifier is forgotten by every cast to another type.
	typ *facts.Type
	mod int

	rewrites   bool
	impossible bool
	unknown    string
}

// using applies the casts of USING, then the one to the column's new type.
func (v *coercion) using(to ddl.Column) {
	if to.UsingOther {
		v.rewrites = true
		return
	}
	for _, cast := range to.UsingCasts {
		v.to(cast, "eai")
	}
	v.to(to.TypeName(), "ai")
}

// to casts the value to a type, by the casts of the contexts that count: e(xplicit), a(ssignment), i(mplicit).
func (v *coercion) to(name ddl.TypeName, contexts string) {
	target := v.known.Types[facts.TypeKey(name.Name.Schema, name.Name.Name, name.Array)]
	if target == nil || v.impossible {
		v.impossible = true
		return
	}
	mod, sure := target.Modifier(name.Modifiers)
	if !sure {
		v.rewrites, v.unknown = true, "what the modifier of type "+name.Name.Name+" means"
		return
	}
	if v.typ.OID != target.OID {
		v.convert(target, contexts)
	}
	if v.impossible {
		return
	}
	v.typ = target
	v.limit(target.OID, target.Element, mod)
}

// convert is coerce_type: from one type to another, the modifier left aside.
func (v *coercion) convert(target *facts.Type, contexts string) {
	from, to := v.typ.Base, target.Base
	switch cast, found := v.cast(from, to); {
	case from == to:
	case found && !slices.Contains([]byte(contexts), cast.Context[0]):
		v.impossible = true
		return
	case found && cast.Method == "b":
		v.mod = -1
	case found && cast.Method == "f" && timestamps(from, to):
		v.rewrites, v.mod = v.rewrites || !v.known.UTC, -1
	case found:
		v.rewrites, v.mod = true, -1
	case v.throughText(target, contexts):
		v.rewrites, v.mod = true, -1
	default:
		v.impossible = true
		return
	}
	if target.Kind != "d" {
		if v.typ.Kind == "d" {
			v.mod = -1 // the label that takes the domain off has no modifier
		}
		return
	}
	v.rewrites = v.rewrites || target.Constrained
	if isArray(target) { // of which no limit is known to be wider than another
		v.rewrites = v.rewrites || target.BaseMod >= 0 && target.BaseMod != v.mod
	} else {
		v.limit(target.Base, 0, target.BaseMod)
	}
	v.mod = -1
}

// throughText reports whether there is a way without an entry in pg_cast: between arrays, or by input and output.
func (v *coercion) throughText(target *facts.Type, contexts string) bool {
	return isArray(v.typ) && isArray(target) || target.Category == "S" || v.typ.Category == "S" && contexts == "eai"
}

// isArray reports whether a type is an array, or a domain over one.
func isArray(t *facts.Type) bool {
	return t.Element != 0 || t.Kind == "d" && strings.HasSuffix(t.BaseText, "[]")
}

func (v *coercion) cast(source, target uint32) (facts.Cast, bool) {
	for _, c := range v.known.Casts {
		if c.Source == source && c.Target == target {
			return c, true
		}
	}
	return facts.Cast{}, false
}

// OIDs of types (pg_type.dat).
const (
	timestampOID   = 1114
	timestamptzOID = 1184
)

func timestamps(source, target uint32) bool {
	return source == timestampOID && target == timestamptzOID || source == timestamptzOID && target == timestampOID
}

// limit is coerce_type_typmod: the modifier is enforced by the type's cast to itself, unless that is known to change nothing.
func (v *coercion) limit(typ, element uint32, mod int) {
	base := typ
	if element != 0 {
		base = element
	}
	_, enforced := v.cast(base, base)
	if mod >= 0 && mod != v.mod && enforced && (element != 0 || !facts.Widens(typ, v.mod, mod)) {
		v.rewrites = true
	}
	v.mod = mod
}
