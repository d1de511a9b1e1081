package ddl

import pgquery "github.com/pganalyze/pg_query_go/v5"

func createIndex(s *Statement, n *pgquery.IndexStmt) Action {
	action := CreateIndex{
		Name: n.Idxname, Table: rangeName(n.Relation), Method: n.AccessMethod, Unique: n.Unique,
		Concurrently: n.Concurrent, IfNotExists: n.IfNotExists, Only: !n.Relation.GetInh(),
		Partial: n.WhereClause != nil, NullsNotDistinct: n.NullsNotDistinct,
	}
	for _, param := range n.IndexParams {
		element := param.GetIndexElem()
		action.Columns = append(action.Columns, element.GetName())
		action.Expression = action.Expression || element.GetExpr() != nil
	}
	text := newSource(s)
	i := text.indexWord()
	action.AfterIndex = text.tokens[i].end
	i = text.skip(i+1, "CONCURRENTLY")
	if named := text.skip(i, "IF", "NOT", "EXISTS"); named > i {
		action.IfNotExistsSpan = text.span(i, named)
		i = named
	}
	if n.Idxname != "" {
		action.NameSpan = text.span(i, text.name(i))
	}
	action.BeforeOn = text.tokens[text.find(i, text.end(), "ON")].start

	table := text.at(n.Relation.GetLocation())
	action.TableSpan = text.span(table, text.name(table))
	keys := text.find(text.skip(text.name(table), ")"), text.end(), "(")
	action.Keys = text.within(keys)
	if n.WhereClause != nil {
		action.Where = text.span(text.find(text.over(keys), text.end(), "WHERE")+1, text.end())
	}
	return action
}

// indexWord is the index of the word INDEX in CREATE [UNIQUE] INDEX.
func (s *source) indexWord() int { return s.skip(s.skip(0, "CREATE"), "UNIQUE") }
