package ddl

import (
	"slices"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// refs collects the relations that a tree names, and the functions that it calls.
type refs struct {
	found []located[Ref]
	calls []located[Name]
	casts []Cast
	// taken are the nodes that already have their Ref.
	taken map[*pgquery.RangeVar]bool
	// ctes are the names of common table expressions that are visible where the walk is, with how often each is.
	ctes map[string]int
	// rowLock is RowShare below FOR UPDATE and its kin.
	rowLock LockMode
	// dormant is true below a statement that is only planned or stored, so that it writes nothing.
	dormant bool
	// zoned leaves out AT TIME ZONE of a timestamp (isZoned).
	zoned bool
}

func newRefs() *refs { return &refs{taken: map[*pgquery.RangeVar]bool{}, ctes: map[string]int{}} }

// located is something with its place in the text, so that what the tree holds in any order is listed as it was written.
type located[T any] struct {
	at   int32
	what T
}

// take records a relation with its lock. A relation that is taken before the tree is walked is not recorded again.
func (r *refs) take(v *pgquery.RangeVar, ref Ref) {
	if v == nil || r.taken[v] {
		return
	}
	r.taken[v] = true
	ref.Name = rangeName(v)
	ref.Written = ref.Written && !r.dormant
	r.found = append(r.found, located[Ref]{v.Location, ref})
}

// name records a relation that the grammar gives as a list of words, without a place.
func (r *refs) name(name Name, ref Ref) {
	ref.Name = name
	r.found = append(r.found, located[Ref]{0, ref})
}

// list is the relations in the order of the text; one that is named twice appears once, with its strongest lock, or none if it is made here.
func (r *refs) list() []Ref {
	slices.SortStableFunc(r.found, func(a, b located[Ref]) int { return int(a.at - b.at) })
	var list []Ref
	place := map[Name]int{}
	for _, f := range r.found {
		i, seen := place[f.what.Name]
		if !seen {
			place[f.what.Name] = len(list)
			list = append(list, f.what)
			continue
		}
		known := &list[i]
		known.Lock = max(known.Lock, f.what.Lock)
		known.Written = known.Written || f.what.Written
		known.Created = known.Created || f.what.Created
		if known.Kind == "" {
			known.Kind = f.what.Kind
		}
	}
	for i := range list {
		if list[i].Created {
			list[i].Lock = NoLock
		}
	}
	return list
}

func (r *refs) callList() []Name {
	slices.SortStableFunc(r.calls, func(a, b located[Name]) int { return int(a.at - b.at) })
	var list []Name
	seen := map[Name]bool{}
	for _, c := range r.calls {
		if !seen[c.what] {
			seen[c.what] = true
			list = append(list, c.what)
		}
	}
	return list
}

// walk visits a message and all below it.
func (r *refs) walk(m protoreflect.Message) {
	if !m.IsValid() {
		return
	}
	switch n := m.Interface().(type) {
	case *pgquery.RangeVar:
		if n.Schemaname != "" || r.ctes[n.Relname] == 0 {
			r.take(n, Ref{Lock: max(AccessShare, r.rowLock)})
		}
		return
	case *pgquery.FuncCall:
		if !r.zoned || !isZoned(n) {
			r.calls = append(r.calls, located[Name]{n.Location, listName(n.Funcname)})
		}
	case *pgquery.TypeCast:
		if constant := n.GetArg().GetAConst().GetSval(); constant != nil {
			r.casts = append(r.casts, Cast{typeName(n.TypeName), constant.Sval})
		}
	case *pgquery.SelectStmt:
		defer r.with(n.WithClause)()
		defer r.forUpdate(n.LockingClause)()
		if n.IntoClause != nil {
			r.take(n.IntoClause.Rel, Ref{Kind: "TABLE", Created: true})
		}
	case *pgquery.InsertStmt:
		defer r.with(n.WithClause)()
		r.take(n.Relation, Ref{Lock: RowExclusive, Written: true})
	case *pgquery.UpdateStmt:
		defer r.with(n.WithClause)()
		r.take(n.Relation, Ref{Lock: RowExclusive, Written: true})
	case *pgquery.DeleteStmt:
		defer r.with(n.WithClause)()
		r.take(n.Relation, Ref{Lock: RowExclusive, Written: true})
	case *pgquery.MergeStmt:
		defer r.with(n.WithClause)()
		r.take(n.Relation, Ref{Lock: RowExclusive, Written: true})
	case *pgquery.WithClause, *pgquery.LockingClause:
		// The CTEs are visited by with, in their own scopes; a locking clause names aliases, not relations.
		return
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Kind() != protoreflect.MessageKind:
		case field.IsList():
			for i, list := 0, value.List(); i < list.Len(); i++ {
				r.walk(list.Get(i).Message())
			}
		default:
			r.walk(value.Message())
		}
		return true
	})
}

// with visits the queries of a WITH clause, makes their names visible, and returns what hides them again. Without RECURSIVE a query sees
// only those before it.
func (r *refs) with(clause *pgquery.WithClause) (leave func()) {
	ctes := clause.GetCtes()
	name := func(c *pgquery.Node) string { return c.GetCommonTableExpr().GetCtename() }
	for _, c := range ctes {
		if clause.Recursive {
			r.ctes[name(c)]++
		}
	}
	for _, c := range ctes {
		r.walk(c.ProtoReflect())
		if !clause.Recursive {
			r.ctes[name(c)]++
		}
	}
	return func() {
		for _, c := range ctes {
			r.ctes[name(c)]--
		}
	}
}

// forUpdate notes that rows are locked until the returned function is called. A clause that names some relations is read as if it named
// all: the lock blocks nobody whom a write would not block.
func (r *refs) forUpdate(clause []*pgquery.Node) (leave func()) {
	before := r.rowLock
	if len(clause) > 0 {
		r.rowLock = RowShare
	}
	return func() { r.rowLock = before }
}

func rangeName(v *pgquery.RangeVar) Name { return Name{v.GetSchemaname(), v.GetRelname()} }

// listName is the name in a list of words: catalogue, schema and name, the first two optional.
func listName(list []*pgquery.Node) Name {
	words := wordsOf(list)
	switch len(words) {
	case 0:
		return Name{}
	case 1:
		return Name{Name: words[0]}
	}
	return Name{words[len(words)-2], words[len(words)-1]}
}

func wordsOf(list []*pgquery.Node) []string {
	var words []string
	for _, n := range list {
		if s := n.GetString_(); s != nil {
			words = append(words, s.Sval)
		}
	}
	return words
}

// objectName is the name of an object as DROP, COMMENT and their kin hold it: a list, one word, a type, or a function with its
// arguments.
func objectName(n *pgquery.Node) Name {
	switch {
	case n.GetList() != nil:
		return listName(n.GetList().Items)
	case n.GetString_() != nil:
		return Name{Name: n.GetString_().Sval}
	case n.GetTypeName() != nil:
		return listName(n.GetTypeName().Names)
	case n.GetObjectWithArgs() != nil:
		return listName(n.GetObjectWithArgs().Objname)
	case n.GetRangeVar() != nil:
		return rangeName(n.GetRangeVar())
	}
	return Name{}
}

// ownerName is the relation in the name of an object that belongs to one (trigger, rule, policy, column, constraint), and member
// the last word, the object's own.
func ownerName(n *pgquery.Node) (owner Name, member string) {
	items := n.GetList().GetItems()
	if len(items) < 2 {
		return Name{}, ""
	}
	return listName(items[:len(items)-1]), strings.Join(wordsOf(items[len(items)-1:]), "")
}
