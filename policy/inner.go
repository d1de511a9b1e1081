package policy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// judgeInner judges what stands within a statement by the same rules. A body is always within a transaction, cannot be rewritten, and nothing in it
// can be deferred.
// It returns the overrides that stand in it.
func (s *Set) judgeInner(verdict *Verdict, stmt ddl.Statement, known facts.Facts, where Context, doors []Override) []Override {
	var all []Override
	seen := body{made: map[string]*facts.Relation{}, dropped: map[string]bool{}}
	maps.Copy(seen.made, where.Inside.made)
	for _, inner := range stmt.Inner {
		at := where
		at.Ledger = false
		at.InTransaction = where.InTransaction || inner.Within == ddl.WithinDo || inner.Within == ddl.WithinFunction
		at.Inside = Inside{
			What:    insideOf(stmt, inner, where.Inside),
			Later:   inner.Later || where.Inside.Later,
			Dynamic: inner.Dynamic,
			line:    inner.Line,
			made:    maps.Clone(seen.made),
		}
		at.Inside.place, at.Inside.loose = where.Inside.closer(inner)
		var own []Override
		if inner.Line > 0 { // else they are the outer statement's
			own = overrides(inner.Statement, facts.Facts{})
		}
		all = append(append(all, own...), s.judge(verdict, inner.Statement, known, at, slices.Concat(doors, own))...)
		seen.passed(inner, known)
	}
	return all
}

// closer is where a statement within this one stands in the outermost one. Within a text that is not written there as it reads there is no
// closer place than that text's own: loose.
func (i Inside) closer(inner ddl.Inner) (place ddl.Span, loose bool) {
	if i.loose || inner.Span == (ddl.Span{}) {
		return i.place, true
	}
	return ddl.Span{Start: i.place.Start + inner.Span.Start, End: i.place.Start + inner.Span.End}, inner.Dynamic
}

// insideOf names what a statement stands in.
func insideOf(stmt ddl.Statement, inner ddl.Inner, outer Inside) string {
	name := ""
	if utility, ok := stmt.Action.(ddl.Utility); ok && len(utility.Names) > 0 {
		name = fmt.Sprintf(" %q", utility.Names[0].Name)
	}
	what := ""
	switch inner.Within {
	case ddl.WithinDo:
		what = "the DO block"
	case ddl.WithinFunction, ddl.WithinRule:
		what = string(inner.Within) + name
	case ddl.WithinQuery:
		what = "a query of WITH"
	default:
		what = string(inner.Within)
	}
	switch {
	case outer.What == "":
		return what
	case outer.line > 0:
		return fmt.Sprintf("%s on line %d of %s", what, outer.line, outer.What)
	}
	return what + " in " + outer.What
}

// placed is a finding with its place, as strict as it may be there.
func (i Inside) placed(f Finding) Finding {
	if i.What == "" {
		return f
	}
	f.Place = i.place
	when := ""
	switch {
	case i.Later:
		f.Action, when = min(f.Action, Warn), ", when it runs"
	case f.Action == Rewrite:
		f.Action = Block
	}
	if i.line > 0 {
		f.Message = fmt.Sprintf("line %d of %s%s: %s", i.line, i.What, when, f.Message)
	} else {
		f.Message = fmt.Sprintf("%s%s: %s", i.What, when, f.Message)
	}
	return f
}

// body is what is known of the relations of a body that the server does not know yet.
type body struct {
	made    map[string]*facts.Relation
	dropped map[string]bool
}

// passed notes what a statement of the body has made. A table that exists already is not new because a branch that may be skipped would make it.
func (b body) passed(inner ddl.Inner, known facts.Facts) {
	if drop, ok := inner.Action.(ddl.Drop); ok && !inner.Maybe {
		for _, name := range drop.Names {
			b.dropped[facts.Key(name.Schema, name.Name)] = true
		}
	}
	temporary := false
	if create, ok := inner.Action.(ddl.CreateTable); ok {
		temporary = create.Temp
		if create.IfNotExists && !temporary && !b.dropped[facts.Key(create.Table.Schema, create.Table.Name)] {
			if relation, asked := known.Relations[facts.Key(create.Table.Schema, create.Table.Name)]; !asked || relation != nil {
				return
			}
		}
	}
	if alter, ok := inner.Action.(ddl.AlterTable); ok {
		for _, command := range alter.Commands {
			switch command.Op {
			case "AttachPartition":
				b.adopted(alter.Table, command.Relation, known)
			case "AddInherit":
				b.adopted(command.Relation, alter.Table, known)
			}
		}
	}
	for _, ref := range inner.Refs {
		key := facts.Key(ref.Name.Schema, ref.Name.Name)
		if !ref.Created || ref.Kind == "INDEX" {
			continue
		}
		relation, asked := known.Relations[key]
		exists := asked && relation != nil && !temporary && !b.dropped[key]
		unsure := !known.Known && inner.Maybe && !temporary
		if !exists && !unsure {
			b.made[key] = &facts.Relation{Schema: ref.Name.Schema, Name: ref.Name.Name, Kind: "r", Persistence: "p", MayAlter: true, Readable: true,
				CreatedHere: true, Empty: true}
		}
	}
}

// adopted notes that something which others use, or may, is below what the body has made.
func (b body) adopted(parent, child ddl.Name, known facts.Facts) {
	made := b.made[facts.Key(parent.Schema, parent.Name)]
	below := b.made[facts.Key(child.Schema, child.Name)]
	if made == nil || below != nil && !below.Adopted {
		return
	}
	adopting := *made
	adopting.Adopted, adopting.Empty, adopting.Rows, adopting.Bytes = true, false, -1, -1
	if r := known.Relations[facts.Key(child.Schema, child.Name)]; r != nil && made.Rows >= 0 && made.Bytes >= 0 && r.Rows >= 0 && r.Bytes >= 0 {
		adopting.Rows, adopting.Bytes = made.Rows+r.Rows, made.Bytes+r.Bytes
	}
	b.made[facts.Key(parent.Schema, parent.Name)] = &adopting
}
