package rewrite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// addKey builds the index of a UNIQUE or PRIMARY KEY concurrently and makes the constraint of it. The columns of a primary key are made
// NOT NULL before.
func (a *alteration) addKey(command, inline int, add ddl.Constraint) error {
	if a.table.Kind == "p" && a.alter.Only {
		delete(a.now, command) // nothing is built
		a.undoConstraint(add.Name)
		return nil
	}
	name, err := a.constraintName(command, inline, add)
	if err != nil {
		return err
	}
	add.Name = name
	if inline < 0 {
		a.undoConstraint(name)
		a.undoBehind = append(a.undoBehind, dropOwnIndex(a.table, name))
	}
	if err := a.keyNotNull(command, add); err != nil {
		return err
	}
	if a.table.Kind == "p" {
		return a.addKeyOnPartitions(add)
	}
	a.mustBeFree(target(a.table), name)
	index := a.keyIndex(add, target(a.table, slices.Concat(add.Columns, add.Include)...), name)
	a.keys = append(a.keys, index, a.keyOf(add, target(a.table, add.Columns...), name))
	a.notices = append(a.notices, fmt.Sprintf("building %q on %q concurrently", name, a.table.Name))
	return a.tryKey(add, index.SQL)
}

// dropOwnIndex drops the index of that name if it is one of the table's, which had none when the plan was made.
func dropOwnIndex(table *facts.Relation, name string) string {
	return "DO " + dollar(fmt.Sprintf(`BEGIN
IF EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	WHERE i.indrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) %s) THEN
EXECUTE %s;
END IF;
END`, table.OID, dollar(name), dollar("DROP INDEX "+quote(table.Schema, name))))
}

// keyNotNull proves the columns of a primary key.
func (a *alteration) keyNotNull(command int, add ddl.Constraint) error {
	if add.Type != ddl.PrimaryKey {
		return nil
	}
	a.primary = true
	a.notNulls = append(a.notNulls, add.Columns...)
	for _, column := range add.Columns {
		switch {
		case a.isNew(column):
			if !slices.Contains(a.filled, column) {
				return fmt.Errorf("send the primary key as a statement of its own: rows that exist have no value of their own for %q yet", column)
			}
			if !a.becomesNotNull(column) {
				if err := a.notNull(command, column, true); err != nil {
					return err
				}
			}
		case a.mayBeNull(column) && !a.becomesNotNull(column):
			if err := a.notNull(command, column, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// becomesNotNull reports whether another command of the statement makes the column NOT NULL.
func (a *alteration) becomesNotNull(column string) bool {
	return slices.ContainsFunc(a.alter.Commands, func(c ddl.AlterCommand) bool {
		return c.Name == column && (c.Op == "SetNotNull" || c.Op == "AddColumn" && c.Column.ImpliesNotNull())
	})
}

// keyIndex is the step that builds the index of a key.
func (a *alteration) keyIndex(add ddl.Constraint, on Target, name string) Step {
	return Step{
		SQL: ddl.KeyIndex(a.stmt, add, quote(on.Schema, on.Name), name), Where: Alone, Table: on,
		Index: Index{Schema: on.Schema, Name: name, Plain: true, Servant: true},
		Done:  keyIndexDone(add, on, name),
	}
}

// keyIndexDone asks whether there is a valid unique index of that name over those columns.
func keyIndexDone(add ddl.Constraint, on Target, name string) string {
	columns := make([]string, len(add.Columns))
	for i, column := range add.Columns {
		columns[i] = literal(column)
	}
	return fmt.Sprintf("SELECT EXISTS (SELECT FROM pg_catalog.pg_index i"+
		" JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"+
		" WHERE i.indrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) %s"+
		" AND i.indisvalid AND i.indisunique AND i.indpred IS NULL AND ARRAY[%s]::pg_catalog.name[] OPERATOR(pg_catalog.=) ("+
		"SELECT pg_catalog.array_agg(a.attname ORDER BY k.place)"+
		" FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k(num, place)"+
		" JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid AND a.attnum OPERATOR(pg_catalog.=) k.num"+
		" WHERE k.place OPERATOR(pg_catalog.<=) i.indnkeyatts::pg_catalog.int8))",
		on.OID, literal(name), strings.Join(columns, ", "))
}

// readIndex reads the text of an index of ours.
func readIndex(text string) (ddl.Statement, ddl.CreateIndex, error) {
	stmt, err := ddl.Reparse(text)
	if err != nil {
		return ddl.Statement{}, ddl.CreateIndex{}, fmt.Errorf("cannot read the index of a key: %w", err)
	}
	return stmt, stmt.Action.(ddl.CreateIndex), nil
}

// keyOf is the step that makes a constraint of an index.
func (a *alteration) keyOf(add ddl.Constraint, on Target, name string) Step {
	return Step{
		SQL:   altering(on.Schema, on.Name, ddl.KeyUsing(add, name)),
		Where: AfterCommit, Budget: true, Table: on,
		Done: constraintIs(on.OID, name, fmt.Sprintf(" AND k.contype OPERATOR(pg_catalog.=) '%c'", add.Type)),
	}
}

// tryKey adds what tells beforehand whether the index of a key can be built: a probe, and a look at the rows.
func (a *alteration) tryKey(add ddl.Constraint, index string) error {
	columns := slices.Concat(add.Columns, add.Include)
	stmt, create, err := readIndex(index)
	if err != nil || !a.looksAt(columns) {
		return err
	}
	if check := duplicates(stmt, create, a.table, add.Name); check.SQL != "" {
		a.dataChecks = append(a.dataChecks, check)
	}
	block, unprobed, err := probe(stmt, a.known, a.table, columns)
	if err != nil {
		return err
	}
	if unprobed != "" {
		a.unprobed = unprobed
		return nil
	}
	a.probes = append(a.probes, "EXECUTE "+dollar(block)+";")
	return nil
}

// addKeyUsing proves the columns of a PRIMARY KEY USING INDEX before it is added; anything else USING INDEX is done at once.
func (a *alteration) addKeyUsing(command int, add ddl.Constraint) error {
	a.stays = true // to drop the constraint would drop the index
	i := slices.IndexFunc(a.table.Indexes, func(i facts.Index) bool { return i.Name == add.UsingIndex })
	if add.Type != ddl.PrimaryKey || i < 0 || !a.table.Indexes[i].Valid {
		return nil
	}
	add.Columns = a.table.Indexes[i].Columns
	if !slices.ContainsFunc(add.Columns, a.mayBeNull) {
		return nil
	}
	if add.Name == "" {
		add.Name = add.UsingIndex
	}
	a.names = append(a.names, add.Name)
	a.now[command] = nil
	if err := a.keyNotNull(command, add); err != nil {
		return err
	}
	span := a.alter.Commands[command].Span
	a.keys = append(a.keys, a.afterwards(a.stmt.Text[span.Start:span.End],
		constraintIs(a.table.OID, add.Name, " AND k.contype OPERATOR(pg_catalog.=) 'p'"), add.Columns...))
	return nil
}

// addKeyOnPartitions makes the key of a partitioned table: on the table alone, which is not valid then, and with a constraint of the same kind
// on each partition, whose index is attached. The last one makes it valid.
func (a *alteration) addKeyOnPartitions(add ddl.Constraint) error {
	if a.table.Key == nil || slices.ContainsFunc(a.table.Key.Columns, func(c string) bool { return !slices.Contains(add.Columns, c) }) {
		return fmt.Errorf("add all columns of the partition key to the new key of %q: the server needs them", a.table.Name)
	}
	if a.hasForeign() {
		return fmt.Errorf("cannot add a key to %q: a foreign table is among its partitions", a.table.Name)
	}
	a.stays = true // nobody knows which constraints of that name the partitions had
	a.keys = append(a.keys, a.keyAlone(add, target(a.table, add.Columns...), add.Name))
	a.keysBelow(add, a.table.OID, quote(a.table.Schema, add.Name))
	a.dataChecks = append(a.dataChecks, unplanned(a.table, add.Name))
	a.keys[len(a.keys)-1].Left = left(a.table, add.Name, strings.ReplaceAll(fmt.Sprintf("give that a %s (%s) of its own, and attach its index by ALTER INDEX ",
		keyWord(add), strings.Join(quoteAll(add.Columns), ", ")), "%", "%%")+"%1$I ATTACH PARTITION")
	a.notices = append(a.notices, fmt.Sprintf("building %q on the partitions of %q one by one, concurrently", add.Name, a.table.Name))
	if !a.looksAt(add.Columns) {
		return nil
	}
	stmt, create, err := readIndex(fmt.Sprintf("CREATE UNIQUE INDEX ON t (%s)", strings.Join(quoteAll(add.Columns), ", ")))
	if err != nil {
		return err
	}
	create.NullsNotDistinct = add.NullsNotDistinct
	if check := duplicates(stmt, create, a.table, add.Name); check.SQL != "" {
		a.dataChecks = append(a.dataChecks, check)
	}
	return nil
}

// keyWord is how a key is written.
func keyWord(add ddl.Constraint) string {
	if add.Type == ddl.PrimaryKey {
		return "PRIMARY KEY"
	}
	return "UNIQUE"
}

// keysBelow are the steps for the partitions of a table, whose own key has that index.
func (a *alteration) keysBelow(add ddl.Constraint, parent uint32, index string) {
	label := "key"
	if add.Type == ddl.PrimaryKey {
		label = "pkey"
	}
	for _, p := range a.table.Partitions {
		if p.Parent != parent {
			continue
		}
		on := Target{OID: p.OID, Schema: p.Schema, Name: p.Name}
		name := facts.KeyName(p.Name, label, slices.Concat(add.Columns, add.Include), a.names)
		a.names = append(a.names, name)
		if p.Kind == "p" {
			a.keys = append(a.keys, a.keyAlone(add, on, name))
			a.keysBelow(add, p.OID, quote(p.Schema, name))
		} else {
			a.keys = append(a.keys, a.keyIndex(add, on, name), a.keyOf(add, on, name))
		}
		a.keys = append(a.keys, Step{
			SQL:   fmt.Sprintf("ALTER INDEX %s ATTACH PARTITION %s", index, quote(p.Schema, name)),
			Where: AfterCommit, Budget: true, Table: on,
			Done: constraintIs(on.OID, name, " AND k.conparentid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid"),
		})
		a.mustBeFree(on, name)
	}
}

// mustBeFree makes the server say beforehand that the name of an index is taken, unless by an index of the table.
func (a *alteration) mustBeFree(on Target, name string) {
	a.probes = append(a.probes, fmt.Sprintf("IF EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"+
		" ON n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE n.nspname OPERATOR(pg_catalog.=) %s AND c.relname OPERATOR(pg_catalog.=) %s"+
		" AND c.oid OPERATOR(pg_catalog.<>) ALL (SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid))"+
		" THEN\nRAISE duplicate_table USING MESSAGE = %s;\nEND IF;",
		literal(on.Schema), literal(name), on.OID, literal(fmt.Sprintf("relation %q already exists", name))))
}

// keyAlone is the step that gives a partitioned table its key without those of its partitions: an INVALID index, until it has theirs.
func (a *alteration) keyAlone(add ddl.Constraint, on Target, name string) Step {
	return Step{
		SQL:   "ALTER TABLE ONLY " + quote(on.Schema, on.Name) + " " + ddl.Key(a.stmt, add, name),
		Where: AfterCommit, Budget: true, Table: on, Done: constraintIs(on.OID, name, ""),
		Index: Index{Schema: on.Schema, Name: name, Plain: true, Servant: true},
	}
}
