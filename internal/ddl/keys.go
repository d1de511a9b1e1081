package ddl

import (
	"slices"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// IndexKeys are the keys of a CREATE INDEX as SQL expressions: the client's text without collation, operator class and order.
func IndexKeys(s Statement) []string {
	action, ok := s.Action.(CreateIndex)
	if !ok {
		return nil
	}
	text := newSource(&s)
	first := 0
	for text.tokens[first].start < action.Keys.Start {
		first++
	}
	last := first
	for last < text.end() && text.tokens[last].start < action.Keys.End {
		last++
	}
	var keys []string
	for _, key := range text.list(first, last) {
		span := text.span(key[0], text.keyEnd(key[0]))
		keys = append(keys, s.Text[span.Start:span.End])
	}
	return keys
}

// keyEnd is the index behind the expression of an index key at i: a column, a function call, or anything in brackets.
func (s *source) keyEnd(i int) int {
	if s.is(i, "(") {
		return s.over(i)
	}
	if behind := s.name(i); s.is(behind, "(") {
		return s.over(behind)
	}
	return s.name(i)
}

// IndexColumns are the columns that a CREATE INDEX needs, those of expressions and of the predicate as well, each once. A whole row
// gives "".
func IndexColumns(s Statement) ([]string, error) {
	root, err := parseOne(s.Text)
	if err != nil {
		return nil, err
	}
	index := root.GetIndexStmt()
	var columns []string
	add := func(column string) {
		if !slices.Contains(columns, column) {
			columns = append(columns, column)
		}
	}
	for _, param := range slices.Concat(index.GetIndexParams(), index.GetIndexIncludingParams()) {
		if element := param.GetIndexElem(); element.GetExpr() == nil {
			add(element.GetName())
			continue
		}
		eachColumn(param.GetIndexElem().Expr.ProtoReflect(), add)
	}
	if index.GetWhereClause() != nil {
		eachColumn(index.WhereClause.ProtoReflect(), add)
	}
	return columns, nil
}

// PlainKeys reports whether every key of a CREATE INDEX is a column, with its type's operator class, its own collation and the usual order.
func PlainKeys(s Statement) (bool, error) {
	root, err := parseOne(s.Text)
	if err != nil {
		return false, err
	}
	for _, param := range root.GetIndexStmt().GetIndexParams() {
		key := param.GetIndexElem()
		if key.GetName() == "" || len(key.Opclass) > 0 || len(key.Collation) > 0 ||
			key.Ordering > pgquery.SortByDir_SORTBY_ASC || key.NullsOrdering > pgquery.SortByNulls_SORTBY_NULLS_DEFAULT {
			return false, nil
		}
	}
	return true, nil
}

// QualifiesColumns reports whether a CREATE INDEX names a column by its table (t.a), or a whole row: then its text is not that of the same
// index on another table.
func QualifiesColumns(s Statement) (bool, error) {
	root, err := parseOne(s.Text)
	if err != nil {
		return false, err
	}
	qualified := false
	eachReference(root.ProtoReflect(), func(ref *pgquery.ColumnRef) {
		qualified = qualified || len(ref.Fields) > 1 || ref.Fields[0].GetString_() == nil
	})
	return qualified, nil
}

// MatchFull reports whether the foreign key that a command of an ALTER TABLE adds is MATCH FULL: a row is then wrong, too, when only some
// of its columns are NULL.
func MatchFull(s Statement, command int) (bool, error) {
	root, err := parseOne(s.Text)
	if err != nil {
		return false, err
	}
	return addedConstraint(root, command).GetFkMatchtype() == "f", nil
}
