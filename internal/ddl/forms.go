package ddl

import (
	"errors"
	"fmt"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// The functions here rewrite a statement into another form of itself. The client's spelling and comments survive: words are
// spliced into its text, and the outcome is returned only if its tree is the statement's tree with exactly the intended change.

// Reparse reads the text of one statement, of a form that was made here for instance.
func Reparse(text string) (Statement, error) {
	statements, err := Parse(text)
	if err != nil {
		return Statement{}, err
	}
	if len(statements) != 1 {
		return Statement{}, fmt.Errorf("text has %d statements instead of one", len(statements))
	}
	return statements[0], nil
}

// Concurrently is the statement with CONCURRENTLY: CREATE INDEX, DROP INDEX, REINDEX, REFRESH MATERIALIZED VIEW, or ALTER TABLE with
// the one command DETACH PARTITION. A statement that has it already is returned as it is.
func Concurrently(s Statement) (string, error) {
	switch action := s.Action.(type) {
	case CreateIndex:
		if action.Concurrently {
			return s.Text, nil
		}
		return verified(s, func(root *pgquery.Node) { root.GetIndexStmt().Concurrent = true },
			Edit{Offset: action.AfterIndex, Insert: " CONCURRENTLY"})
	case Drop:
		if action.Object != "INDEX" {
			break
		}
		if action.Concurrently {
			return s.Text, nil
		}
		return verified(s, func(root *pgquery.Node) { root.GetDropStmt().Concurrent = true },
			Edit{Offset: action.AfterObject, Insert: " CONCURRENTLY"})
	case AlterTable:
		return detachConcurrently(s, action)
	case Utility:
		if action.Concurrently {
			return s.Text, nil
		}
		return utilityConcurrently(s)
	}
	return "", fmt.Errorf("%s has no concurrent form", s.Tag)
}

func detachConcurrently(s Statement, action AlterTable) (string, error) {
	if len(action.Commands) != 1 || action.Commands[0].Op != "DetachPartition" {
		return "", errors.New("only DETACH PARTITION has a concurrent form among the commands of ALTER TABLE")
	}
	command := action.Commands[0]
	if command.Concurrently {
		return s.Text, nil
	}
	return verified(s, func(root *pgquery.Node) {
		root.GetAlterTableStmt().Cmds[0].GetAlterTableCmd().Def.GetPartitionCmd().Concurrent = true
	}, Edit{Offset: command.Span.End, Insert: " CONCURRENTLY"})
}

func utilityConcurrently(s Statement) (string, error) {
	text := newSource(&s)
	switch s.Tag {
	case "REFRESH MATERIALIZED VIEW":
		return verified(s, func(root *pgquery.Node) { root.GetRefreshMatViewStmt().Concurrent = true },
			Edit{Offset: text.tokens[2].end, Insert: " CONCURRENTLY"})
	case "REINDEX":
		object := 1
		if text.is(object, "(") {
			object = text.over(object)
		}
		return verified(s, func(root *pgquery.Node) {
			reindex := root.GetReindexStmt()
			reindex.Params = append(reindex.Params, pgquery.MakeSimpleDefElemNode("concurrently", nil, 0))
		}, Edit{Offset: text.tokens[object].end, Insert: " CONCURRENTLY"})
	}
	return "", fmt.Errorf("%s has no concurrent form", s.Tag)
}

// Named is CREATE INDEX with the name that it left to the server to choose.
func Named(s Statement, name string) (string, error) {
	action, ok := s.Action.(CreateIndex)
	if !ok || action.Name != "" {
		return "", errors.New("only a CREATE INDEX without a name can be given one")
	}
	return verified(s, func(root *pgquery.Node) { root.GetIndexStmt().Idxname = name },
		Edit{Offset: action.BeforeOn, Insert: quoted(name) + " "})
}

// Renamed is CREATE INDEX with another name in the place of its own.
func Renamed(s Statement, name string) (string, error) {
	action, ok := s.Action.(CreateIndex)
	if !ok || action.Name == "" {
		return "", errors.New("only a CREATE INDEX with a name can be given another")
	}
	return verified(s, func(root *pgquery.Node) { root.GetIndexStmt().Idxname = name }, replace(action.NameSpan, quoted(name)))
}

// Only is CREATE INDEX with ONLY before its table: of a partitioned table it makes the index without those of the partitions.
func Only(s Statement) (string, error) {
	action, ok := s.Action.(CreateIndex)
	if !ok {
		return "", errors.New("only a CREATE INDEX can be made ONLY of its table")
	}
	if action.Only {
		return s.Text, nil
	}
	return verified(s, func(root *pgquery.Node) { root.GetIndexStmt().Relation.Inh = false },
		Edit{Offset: action.TableSpan.Start, Insert: "ONLY "})
}

// Qualified is the statement with its relation named by schema and name: the table of CREATE INDEX and ALTER TABLE, what REINDEX,
// REFRESH, TRUNCATE or DROP names if it names one only. A DROP INDEX then finds the index whatever search_path says.
func Qualified(s Statement, schema, name string) (string, error) {
	if action, ok := s.Action.(Drop); ok {
		if len(action.Names) != 1 || len(action.NameSpans) != 1 {
			return "", errors.New("only a DROP of one object can be qualified")
		}
		return verified(s, func(root *pgquery.Node) {
			root.GetDropStmt().Objects[0] = pgquery.MakeListNode(nameNodes(schema, name))
		}, replace(action.NameSpans[0], quoted(schema)+"."+quoted(name)))
	}
	tree, err := parseOne(s.Text)
	if err != nil {
		return "", fmt.Errorf("cannot parse the statement again: %w", err)
	}
	relation := soleRelation(tree)
	if relation == nil {
		return "", fmt.Errorf("%s has no single relation to qualify", s.Tag)
	}
	text := newSource(&Statement{Text: s.Text, known: s.known}) // of a tree that begins with the statement
	at := text.at(relation.Location)
	return verified(s, func(root *pgquery.Node) {
		changed := soleRelation(root)
		changed.Catalogname, changed.Schemaname, changed.Relname = "", schema, name
	}, replace(text.span(at, text.name(at)), quoted(schema)+"."+quoted(name)))
}

// soleRelation is the relation that a statement is about, nil if there is not exactly one.
func soleRelation(root *pgquery.Node) *pgquery.RangeVar {
	switch n := root.GetNode().(type) {
	case *pgquery.Node_IndexStmt:
		return n.IndexStmt.Relation
	case *pgquery.Node_AlterTableStmt:
		return n.AlterTableStmt.Relation
	case *pgquery.Node_RenameStmt:
		return n.RenameStmt.Relation
	case *pgquery.Node_AlterObjectSchemaStmt:
		return n.AlterObjectSchemaStmt.Relation
	case *pgquery.Node_ReindexStmt:
		return n.ReindexStmt.Relation
	case *pgquery.Node_RefreshMatViewStmt:
		return n.RefreshMatViewStmt.Relation
	case *pgquery.Node_TruncateStmt:
		if len(n.TruncateStmt.Relations) == 1 {
			return n.TruncateStmt.Relations[0].GetRangeVar()
		}
	}
	return nil
}

// NotValid is ALTER TABLE (or DOMAIN) whose command at the index, an ADD CONSTRAINT, is NOT VALID. A constraint without a name gets the
// one given.
func NotValid(s Statement, command int, name string) (string, error) {
	action, ok := s.Action.(AlterTable)
	if !ok || action.Commands[command].Constraint == nil {
		return "", errors.New("only ADD CONSTRAINT can be NOT VALID")
	}
	constraint := action.Commands[command].Constraint
	if constraint.NotEnforced {
		return "", errors.New("a constraint that is NOT ENFORCED is never validated")
	}
	var edits []Edit
	if constraint.Name == "" {
		edits = append(edits, Edit{Offset: constraint.Start, Insert: "CONSTRAINT " + quoted(name) + " "})
	}
	if !constraint.NotValid {
		edits = append(edits, Edit{Offset: constraint.End, Insert: " NOT VALID"})
	}
	return verified(s, func(root *pgquery.Node) {
		added := addedConstraint(root, command)
		added.SkipValidation, added.InitiallyValid = true, false
		if added.Conname == "" {
			added.Conname = name
		}
	}, edits...)
}

func addedConstraint(root *pgquery.Node, command int) *pgquery.Constraint {
	if domain := root.GetAlterDomainStmt(); domain != nil {
		return domain.Def.GetConstraint()
	}
	return root.GetAlterTableStmt().Cmds[command].GetAlterTableCmd().Def.GetConstraint()
}

// OnlyCommand is ALTER TABLE with just the command at the index.
func OnlyCommand(s Statement, command int) (string, error) {
	action, ok := s.Action.(AlterTable)
	if !ok || command >= len(action.Commands) {
		return "", fmt.Errorf("%s has no command %d", s.Tag, command)
	}
	if len(action.Commands) == 1 {
		return s.Text, nil
	}
	kept, first := action.Commands[command].Span, action.Commands[0].Span
	return verified(s, func(root *pgquery.Node) {
		table := root.GetAlterTableStmt()
		table.Cmds = table.Cmds[command : command+1]
	}, Edit{Offset: first.Start, Delete: kept.Start - first.Start}, Edit{Offset: kept.End, Delete: len(s.Text) - kept.End})
}

// DropOne is DROP of only the object at the index, with CONCURRENTLY if asked.
func DropOne(s Statement, object int, concurrently bool) (string, error) {
	action, ok := s.Action.(Drop)
	if !ok || object >= len(action.NameSpans) {
		return "", fmt.Errorf("%s has no object %d", s.Tag, object)
	}
	first, kept, last := action.NameSpans[0], action.NameSpans[object], action.NameSpans[len(action.NameSpans)-1]
	edits := []Edit{
		{Offset: first.Start, Delete: kept.Start - first.Start},
		{Offset: kept.End, Delete: last.End - kept.End},
	}
	concurrently = concurrently && !action.Concurrently
	if concurrently {
		edits = append(edits, Edit{Offset: action.AfterObject, Insert: " CONCURRENTLY"})
	}
	return verified(s, func(root *pgquery.Node) {
		dropped := root.GetDropStmt()
		dropped.Objects = dropped.Objects[object : object+1]
		dropped.Concurrent = dropped.Concurrent || concurrently
	}, edits...)
}

// Probe is CREATE INDEX on a temporary table in the place of its own, without CONCURRENTLY and IF NOT EXISTS: run on an empty copy of the
// table it shows whether the server accepts the index, and which name it would choose. The temporary table should have the name of the
// index's own, which its expressions may use.
func Probe(s Statement, tempName string) (string, error) {
	action, ok := s.Action.(CreateIndex)
	if !ok {
		return "", errors.New("only CREATE INDEX can be probed")
	}
	edits := []Edit{replace(action.TableSpan, "pg_temp."+quoted(tempName))}
	if action.Concurrently {
		text := newSource(&s)
		edits = append(edits, replace(text.span(text.indexWord()+1, text.indexWord()+2), ""))
	}
	if action.IfNotExists {
		edits = append(edits, replace(action.IfNotExistsSpan, ""))
	}
	return verified(s, func(root *pgquery.Node) {
		index := root.GetIndexStmt()
		index.Relation.Catalogname, index.Relation.Schemaname, index.Relation.Relname = "", "pg_temp", tempName
		index.Concurrent, index.IfNotExists = false, false
	}, edits...)
}

// replace is the edit that puts text in the place of a span.
func replace(span Span, text string) Edit {
	return Edit{Offset: span.Start, Delete: span.End - span.Start, Insert: text}
}
