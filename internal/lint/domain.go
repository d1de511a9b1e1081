package lint

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// domain is a domain that the files have made, as it is by now.
type domain struct {
	ddl.Domain
	over string // the identity of the type that it is over
}

// makeDomain takes in a CREATE DOMAIN.
func (w *world) makeDomain(s ddl.Statement) {
	made, ok := ddl.MadeDomain(s)
	if !ok {
		return
	}
	for i := range made.Checks {
		made.Checks[i] = checkName(made, made.Checks[i], i)
	}
	set(w, w.domains, w.identity("TYPE", made.Name), domain{made, w.identity("TYPE", made.Base.Name)}, false)
}

// checkName is a name, or the one that the server chooses where none of the domain's other constraints has it.
func checkName(d ddl.Domain, given string, before int) string {
	for i := 0; given == ""; i++ {
		name := d.Name.Name + "_check"
		if i > 0 {
			name += fmt.Sprint(i)
		}
		if !slices.Contains(d.Checks[:before], name) {
			return name
		}
	}
	return given
}

// alterDomain takes in what an ALTER DOMAIN does to the constraints and the default of one that the files have made.
func (w *world) alterDomain(a ddl.AlterTable) {
	key := w.identity("TYPE", a.Table)
	changed, ok := w.domains[key]
	if !ok {
		return
	}
	changed.Checks = slices.Clone(changed.Checks)
	for _, command := range a.Commands {
		switch command.Op {
		case "AddConstraint":
			changed.Checks = append(changed.Checks, checkName(changed.Domain, command.Constraint.Name, len(changed.Checks)))
		case "DropConstraint":
			changed.Checks = slices.DeleteFunc(changed.Checks, func(name string) bool { return name == command.Name })
		case "SetNotNull":
			changed.NotNull = true
		case "DropNotNull":
			changed.NotNull = false
		case "ColumnDefault":
			changed.DefaultCalls = nil // of the new one nothing is known
		}
	}
	set(w, w.domains, key, changed, false)
}

// moveDomain gives a domain another name.
func (w *world) moveDomain(from, to string) {
	if moved, ok := w.domains[from]; ok {
		set(w, w.domains, from, domain{}, true)
		set(w, w.domains, to, moved, false)
	}
}

// deepest is how many domains are followed down to a base type: a name that is made anew could lead back to itself.
const deepest = 32

// addDomains adds the domains that the files have made to what is known of the types of new columns. A column whose type changes needs to know more of it.
func (w *world) addDomains(known *facts.Facts, s ddl.Statement) {
	alter, ok := s.Action.(ddl.AlterTable)
	if !ok {
		return
	}
	known.Types = maps.Clone(known.Types)
	for _, command := range alter.Commands {
		if command.Op != "AddColumn" || command.Column == nil {
			continue
		}
		name := command.Column.TypeName()
		d, made := w.domains[w.identity("TYPE", name.Name)]
		if !made || name.Array {
			continue
		}
		t := &facts.Type{Schema: name.Name.Schema, Name: name.Name.Name, Kind: "d", BaseMod: -1, MayAlter: true}
		for depth := 0; made && depth < deepest; depth++ {
			t.Constrained = t.Constrained || d.NotNull || len(d.Checks) > 0
			t.DefaultVolatile = t.DefaultVolatile || slices.ContainsFunc(d.DefaultCalls, func(call ddl.Name) bool {
				function, known := facts.SystemFunction(call) // of others nothing is known
				return known && function.Volatile == "v"
			})
			t.BaseText = d.Text
			d, made = w.domains[d.over]
		}
		if known.Types == nil {
			known.Types = map[string]*facts.Type{}
		}
		known.Types[facts.TypeKey(name.Name.Schema, name.Name.Name, false)] = t
	}
}

// addFunctions adds what is known of the system's functions without a server, unless the files have made others by the name.
func (w *world) addFunctions(base *facts.Facts, wanted []facts.Wanted) {
	base.Functions = maps.Clone(base.Functions)
	for _, want := range wanted {
		for _, name := range want.Functions {
			key := facts.Key(name.Schema, name.Name)
			function, known := facts.SystemFunction(name)
			if _, asked := base.Functions[key]; asked || !known || w.made[w.identity("FUNCTION", name)] {
				continue
			}
			if base.Functions == nil {
				base.Functions = map[string]facts.Function{}
			}
			base.Functions[key] = function
		}
	}
}
