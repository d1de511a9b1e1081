package facts

import (
	"cmp"
	"context"
	_ "embed"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

var (
	//go:embed types.sql
	typesSQL string
	//go:embed casts.sql
	castsSQL string
	//go:embed functions.sql
	functionsSQL string
	//go:embed collations.sql
	collationsSQL string
	//go:embed kinds.sql
	kindsSQL string
)

// nameParts are the parts about the names of types, functions and collations.
func nameParts(wanted []Wanted) []string {
	some := func(asks func(Wanted) bool) bool { return slices.ContainsFunc(wanted, asks) }
	var parts []string
	switch {
	case some(Wanted.asksCasts):
		parts = append(parts, castsSQL)
	case some(func(w Wanted) bool { return len(w.Types) > 0 }):
		parts = append(parts, typesSQL)
	}
	if some(func(w Wanted) bool { return len(w.Functions) > 0 }) {
		parts = append(parts, functionsSQL)
	}
	if some(func(w Wanted) bool { return len(w.Collations) > 0 }) {
		parts = append(parts, collationsSQL)
	}
	return parts
}

func (w Wanted) asksNames() bool { return len(w.Types) > 0 || len(w.Functions) > 0 }

// asksCasts reports whether casts.sql is asked in the place of types.sql.
func (w Wanted) asksCasts() bool {
	return len(w.Changed) > 0 || slices.ContainsFunc(w.Types, func(t ddl.TypeName) bool { return t.Array })
}

// typing is what is known of types while their rows are put together.
type typing struct {
	types map[uint32]*Type // with those that domains are over
	made  []uint32         // those that this transaction may have made
	// casts are those between the types, and others that a type can use an operator class by.
	casts   []Cast
	classes []inputClass
}

// inputClass is a default operator class, and what it is for. Preferred is the category that its type is preferred in, "" if it is not.
type inputClass struct {
	method    string
	oid       uint32
	input     uint32
	preferred string
}

// addNamed adds the rows of nameParts. It takes one more question where a domain or an enum is among the types, or what this transaction may have made, and where the
// type of a column changes and both timestamp and timestamptz are among them.
func (q *question) addNamed(ctx context.Context, server Querier, a answers) error {
	if !slices.ContainsFunc(q.wanted, Wanted.asksNames) {
		return nil
	}
	known := &q.known
	known.Types, known.Functions, known.Collations = map[string]*Type{}, map[string]Function{}, map[string]uint32{}
	found := typing{types: map[uint32]*Type{}}
	for kind, add := range map[string]func(*row){
		"type": func(r *row) { known.addType(&found, r) }, "cast": func(r *row) { known.addCast(&found, r) }, "class": found.addClass,
		"function": known.addFunction, "collation": known.addCollation,
	} {
		for _, r := range a.rows[kind] {
			add(r)
			if err := r.end(); err != nil {
				return err
			}
		}
	}
	changes := slices.ContainsFunc(q.wanted, func(w Wanted) bool { return len(w.Changed) > 0 })
	zone := changes && found.types[timestampOID] != nil && found.types[timestamptzOID] != nil
	if err := known.askKinds(ctx, server, found, zone); err != nil {
		return err
	}
	for _, t := range known.Types {
		if changes && t != nil {
			t.Classes = found.classesOf(t)
		}
	}
	return nil
}

// firstNormalOID is FirstNormalObjectId: what has a smaller one was made with the database.
const firstNormalOID = 16384

// addType adds a type under its own name and under the one by which it was asked for, if it was.
func (f *Facts) addType(found *typing, r *row) {
	meant, schema, name, array := r.truth(), r.text(), r.next(), r.truth()
	t := &Type{
		OID: r.oid(), Schema: r.schema(), Name: r.text(), Kind: r.text(), Category: r.text(), Element: r.oid(), Array: r.oid(), BaseText: r.text(), BaseMod: -1,
		HasDefault: r.truth(), Collation: r.oid(), Owner: r.text(), MayAlter: r.truth(),
	}
	t.Base = t.OID
	if inTransaction := r.truth(); inTransaction && t.OID >= firstNormalOID {
		found.made = append(found.made, t.OID)
	}
	switch known := found.types[t.OID]; {
	case t.OID == 0:
		t = nil
	case known != nil:
		t = known
	default:
		found.types[t.OID] = t
	}
	if meant && t != nil {
		f.Types[TypeKey(t.Schema, t.Name, false)] = t
	}
	if !name.null {
		f.Types[TypeKey(schema, name.text, array)] = t
	}
}

func (f *Facts) addCast(found *typing, r *row) {
	c := Cast{Source: r.oid(), Target: r.oid(), Method: r.text(), Context: r.text()}
	found.casts = append(found.casts, c)
	if within := r.truth(); within {
		f.Casts = append(f.Casts, c)
	}
}

func (found *typing) addClass(r *row) {
	found.classes = append(found.classes, inputClass{method: r.text(), oid: r.oid(), input: r.oid(), preferred: r.text()})
}

// addFunction adds one of what a name can mean. The letters of volatility are in the order of harm: i, s, v.
func (f *Facts) addFunction(r *row) {
	key := Key(r.text(), r.text())
	volatile, system := r.text(), r.truth()
	function, more := f.Functions[key]
	f.Functions[key] = Function{Volatile: max(function.Volatile, volatile), System: system && (function.System || !more)}
}

func (f *Facts) addCollation(r *row) { f.Collations[Key(r.text(), r.text())] = r.oid() }

// askKinds asks what more is to be known of the types, and of the time zone. What is gone by then does not exist.
func (f *Facts) askKinds(ctx context.Context, server Querier, found typing, zone bool) error {
	asked := struct {
		Types []uint32 `json:"types"`
		UTC   bool     `json:"utc"`
	}{[]uint32{}, zone}
	for _, t := range f.Types {
		if t != nil && !slices.Contains(asked.Types, t.OID) && (t.Kind == "d" || t.Kind == "e" || slices.Contains(found.made, t.OID)) {
			asked.Types = append(asked.Types, t.OID)
		}
	}
	if len(asked.Types) == 0 && !asked.UTC {
		return nil
	}
	var answer struct {
		Types []struct {
			OID             uint32             `json:"oid"`
			Base            uint32             `json:"base"`
			BaseText        string             `json:"base_text"`
			BaseMod         int                `json:"base_mod"`
			Constrained     bool               `json:"constrained"`
			Constraints     []DomainConstraint `json:"constraints"`
			DefaultVolatile bool               `json:"default_volatile"`
			Labels          []string           `json:"labels"`
			NewLabels       []string           `json:"new_labels"`
			CreatedHere     bool               `json:"created_here"`
		} `json:"types"`
		UTC bool `json:"utc"`
	}
	if err := askJSON(ctx, server, kindsSQL, asked, &answer); err != nil {
		return err
	}
	f.UTC = answer.UTC
	for _, k := range answer.Types {
		t := found.types[k.OID]
		if t == nil {
			continue
		}
		t.Base, t.BaseText, t.BaseMod, t.Constrained, t.Constraints = k.Base, k.BaseText, k.BaseMod, k.Constrained, k.Constraints
		t.DefaultVolatile, t.Labels, t.NewLabels, t.CreatedHere = k.DefaultVolatile, k.Labels, k.NewLabels, k.CreatedHere
		asked.Types = slices.DeleteFunc(asked.Types, func(oid uint32) bool { return oid == k.OID })
	}
	for name, t := range f.Types {
		if t != nil && slices.Contains(asked.Types, t.OID) {
			f.Types[name] = nil
		}
	}
	return nil
}

// OIDs of the types that stand for any type of some kind (pg_type.dat).
const (
	anyArrayOID      = 2277
	anyEnumOID       = 3500
	anyRangeOID      = 3831
	anyMultirangeOID = 4537
	recordOID        = 2249
)

// polymorphic is the type that stands for any of the type's kind, 0 for none.
func (t *Type) polymorphic() uint32 {
	if t.Category == "A" {
		return anyArrayOID
	}
	return map[string]uint32{"e": anyEnumOID, "r": anyRangeOID, "m": anyMultirangeOID, "c": recordOID}[t.Kind]
}

// classesOf are the default operator classes for the type by access method (GetDefaultOpClass of indexcmds.c): its own; one of a preferred type that it is the
// same bytes as; or any such.
func (found *typing) classesOf(t *Type) map[string]uint32 {
	base := found.types[t.Base]
	if base == nil || len(found.classes) == 0 {
		return nil
	}
	rank := func(c inputClass) int {
		switch {
		case c.input == base.OID:
			return 1
		case !found.sameBytes(base.OID, c.input) && c.input != base.polymorphic():
			return 0
		case c.preferred == base.Category:
			return 2
		}
		return 3
	}
	candidates := slices.DeleteFunc(slices.Clone(found.classes), func(c inputClass) bool { return rank(c) == 0 })
	slices.SortFunc(candidates, func(a, b inputClass) int { return cmp.Or(cmp.Compare(rank(b), rank(a)), cmp.Compare(b.oid, a.oid)) })
	var classes map[string]uint32
	for _, c := range candidates { // the best comes last
		if classes == nil {
			classes = map[string]uint32{}
		}
		classes[c.method] = c.oid
	}
	return classes
}

// sameBytes reports whether a value of one type is taken for one of another as it is, unasked.
func (found *typing) sameBytes(source, target uint32) bool {
	return slices.ContainsFunc(found.casts, func(c Cast) bool {
		return c.Source == source && c.Target == target && c.Method == "b" && c.Context == "i"
	})
}
