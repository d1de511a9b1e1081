package ddl

import (
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

func drop(s *Statement, n *pgquery.DropStmt) Action {
	action := Drop{Object: objectKind(n.RemoveType), Concurrently: n.Concurrent, IfExists: n.MissingOk,
		Cascade: n.Behavior == pgquery.DropBehavior_DROP_CASCADE}
	for _, object := range n.Objects {
		action.Names = append(action.Names, droppedName(n.RemoveType, object))
	}
	return action.located(s)
}

func droppedName(t pgquery.ObjectType, object *pgquery.Node) Name {
	switch {
	case ownedByRelation(t):
		_, member := ownerName(object)
		return Name{Name: member}
	case t == pgquery.ObjectType_OBJECT_OPCLASS, t == pgquery.ObjectType_OBJECT_OPFAMILY:
		return listName(object.GetList().Items[1:]) // behind the access method
	}
	return objectName(object)
}

func dropNamed(s *Statement, object ObjectKind, ifExists bool, names ...string) Action {
	action := Drop{Object: object, IfExists: ifExists}
	for _, name := range names {
		action.Names = append(action.Names, Name{Name: name})
	}
	return action.located(s)
}

// located finds the places of the object's word and of the names.
func (d Drop) located(s *Statement) Drop {
	text := newSource(s)
	i := text.object(1, d.Object)
	d.AfterObject = text.tokens[i-1].end
	if d.Object == "CAST" || d.Object == "TRANSFORM" {
		return d // their names are no names
	}
	i = text.skip(text.skip(i, "CONCURRENTLY"), "IF", "EXISTS")
	for _, part := range text.list(i, text.end()) {
		d.NameSpans = append(d.NameSpans, text.span(part[0], text.name(part[0])))
	}
	return d
}

// object is the index behind the words of an object type at i; USER and GROUP stand for ROLE.
func (s *source) object(i int, kind ObjectKind) int {
	i = s.skip(i, "PROCEDURAL")
	return min(i+len(strings.Fields(string(kind))), s.end())
}
