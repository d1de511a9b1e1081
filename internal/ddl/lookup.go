package ddl

import (
	"slices"

	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// lookupColumns are the columns of the catalog in which a relation's own name stands.
var lookupColumns = []string{"relname", "tablename", "table_name"}

// LooksUp returns the constants and parameters that a query compares the names of relations in pg_class, pg_tables or information_schema.tables with, for
// equality, anywhere in it. A statement that does more than read, or asks none of them, looks up nothing. The text is parsed again, where it names one of them.
func LooksUp(statement Statement) []Value {
	if _, reads := statement.Action.(Query); !reads || !slices.ContainsFunc(statement.Refs, func(ref Ref) bool { return listsRelations(ref.Name) }) {
		return nil
	}
	root, err := parseOne(statement.Text)
	if err != nil {
		return nil
	}
	var found lookup
	found.walk(root.ProtoReflect())
	return found.values
}

// listsRelations reports whether it is one of the catalog's tables that a tool asks whether its own is there.
func listsRelations(name Name) bool {
	switch name.Name {
	case "pg_class", "pg_tables":
		return name.Schema == "" || name.Schema == "pg_catalog"
	case "tables":
		return name.Schema == "information_schema"
	}
	return false
}

// NamesCatalog reports whether a raw text has the name, in any case, of what LooksUp is about. It is for texts that nobody has parsed yet.
func NamesCatalog(raw []byte) bool {
	for i, c := range raw {
		if c != '_' {
			continue
		}
		if i >= len("pg") && startsWith(raw[i-len("pg"):], "pg_class") || i >= len("pg") && startsWith(raw[i-len("pg"):], "pg_tables") ||
			i >= len("information") && startsWith(raw[i-len("information"):], "information_schema") {
			return true
		}
	}
	return false
}

// lookup collects what the names of relations are compared with.
type lookup struct{ values []Value }

func (l *lookup) walk(m protoreflect.Message) {
	if !m.IsValid() {
		return
	}
	if e, ok := m.Interface().(*pgquery.A_Expr); ok {
		var compared Given
		compared.equality(e)
		for _, fixed := range compared.Where {
			if slices.Contains(lookupColumns, fixed.Column) {
				l.values = append(l.values, slices.DeleteFunc(fixed.Values, func(v Value) bool { return !v.Known })...)
			}
		}
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Kind() != protoreflect.MessageKind:
		case field.IsList():
			for i, list := 0, value.List(); i < list.Len(); i++ {
				l.walk(list.Get(i).Message())
			}
		default:
			l.walk(value.Message())
		}
		return true
	})
}
