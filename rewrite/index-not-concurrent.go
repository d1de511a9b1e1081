package rewrite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// index builds the index concurrently, under the name that the server would have chosen. It is outside of any transaction, watched, and its
// leftovers are removed by whoever runs it.
func index(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	create, ok := stmt.Action.(ddl.CreateIndex)
	if !ok {
		return Plan{}, fmt.Errorf("%s makes no index", stmt.Tag)
	}
	table, err := lookup(known, create.Table)
	if err != nil {
		return Plan{}, err
	}
	if table == nil {
		return budget(stmt, known)
	}
	if table.Kind == "p" && !create.Only {
		return partitionedIndex(stmt, known, create, table)
	}
	name := create.Name
	if name == "" {
		if name, err = facts.IndexName(stmt, table); err != nil {
			return Plan{}, err
		}
	}
	columns, err := ddl.IndexColumns(stmt)
	if err != nil {
		return Plan{}, err
	}
	text, err := rewritten(stmt, ddl.Concurrently, qualifiedBy(table), namedBy(create, name))
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{
		Object: name,
		Notice: fmt.Sprintf("building index %q on %q concurrently", name, table.Name),
		Steps: []Step{{
			SQL: text, Where: Alone, Table: target(table, columns...),
			Index: Index{Schema: table.Schema, Name: name, Columns: wholeKeys(create), Plain: !create.Expression && !create.Partial},
			Done:  indexDone(create, table, name, true),
		}},
	}
	if plan.Probe, plan.Unprobed, err = probe(stmt, known, table, columns); err != nil {
		return Plan{}, err
	}
	if check := duplicates(stmt, create, table, name); check.SQL != "" {
		plan.DataChecks = append(plan.DataChecks, check)
	}
	return plan, nil
}

// form writes a statement in another form of itself.
type form func(ddl.Statement) (string, error)

// rewritten is the client's text in all of the forms.
func rewritten(stmt ddl.Statement, forms ...form) (string, error) {
	for _, write := range forms {
		text, err := write(stmt)
		if err != nil {
			return "", err
		}
		if stmt, err = ddl.Reparse(text); err != nil {
			return "", err
		}
	}
	return stmt.Text, nil
}

func qualifiedBy(table *facts.Relation) form {
	return func(s ddl.Statement) (string, error) { return ddl.Qualified(s, table.Schema, table.Name) }
}

// namedBy gives the index a name, unless it has just that.
func namedBy(create ddl.CreateIndex, name string) form {
	return func(s ddl.Statement) (string, error) {
		switch create.Name {
		case name:
			return s.Text, nil
		case "":
			return ddl.Named(s, name)
		}
		return ddl.Renamed(s, name)
	}
}

// wholeKeys are the keys of an index that finds every row by them; nil for any other index.
func wholeKeys(create ddl.CreateIndex) []string {
	if create.Partial || create.Method != "btree" {
		return nil
	}
	return create.Columns
}

// indexDone asks whether there is an index of that name, with the same keys, on that table, valid if it must be. What expressions and predicates say is not
// compared: the server writes them in its own way.
func indexDone(create ddl.CreateIndex, table *facts.Relation, name string, valid bool) string {
	keys := make([]string, len(create.Columns))
	for i, column := range create.Columns {
		keys[i] = "0" // pg_index.indkey of an expression
		for _, c := range table.Columns {
			if c.Name == column {
				keys[i] = strconv.Itoa(c.Num)
			}
		}
	}
	return fmt.Sprintf("SELECT EXISTS (SELECT FROM pg_catalog.pg_index i"+
		" JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"+
		" JOIN pg_catalog.pg_am a ON a.oid OPERATOR(pg_catalog.=) c.relam"+
		" WHERE i.indrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) %s AND (i.indisvalid OR %t)"+
		" AND i.indisunique OPERATOR(pg_catalog.=) %t AND a.amname OPERATOR(pg_catalog.=) %s"+
		" AND (i.indpred IS NOT NULL) OPERATOR(pg_catalog.=) %t AND i.indnkeyatts OPERATOR(pg_catalog.=) %d::pg_catalog.int2"+
		" AND pg_catalog.starts_with(i.indkey::pg_catalog.text OPERATOR(pg_catalog.||) ' ', %s))",
		table.OID, literal(name), !valid, create.Unique, literal(create.Method), create.Partial, len(keys), literal(strings.Join(keys, " ")+" "))
}

// probeTable and probeIndex are the names under which a statement is tried out.
const (
	probeTable = "pgsluice_probe"
	probeIndex = "pgsluice_probe_idx"
)

// probe tries the index on an empty temporary copy of the table, partitioned like it: the server's own error comes out of it, and nothing
// else. What the copy cannot tell, whether anything may be created beside the table and its partitions, is asked before.
func probe(stmt ddl.Statement, known facts.Facts, table *facts.Relation, columns []string, partitions ...*facts.Relation) (block, unprobed string, err error) {
	if !known.MayProbe {
		return "", "the login may not create temporary tables or use plpgsql", nil
	}
	if wholeRow(table, columns) {
		return "", "the index uses the whole row, whose type a copy of the table does not have", nil
	}
	text, err := ddl.Probe(stmt, probeTable)
	if err != nil {
		return "", "", err
	}
	if create := stmt.Action.(ddl.CreateIndex); create.Name != "" {
		tried, err := ddl.Reparse(text)
		if err != nil {
			return "", "", err
		}
		if text, err = ddl.Renamed(tried, probeIndex); err != nil {
			return "", "", err
		}
	}
	var body strings.Builder
	body.WriteString("BEGIN\n")
	var schemas []string
	for _, r := range append([]*facts.Relation{table}, partitions...) {
		if slices.Contains(schemas, r.Schema) {
			continue
		}
		schemas = append(schemas, r.Schema)
		fmt.Fprintf(&body, `IF EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) %d::pg_catalog.oid
	AND NOT pg_catalog.has_schema_privilege(c.relnamespace, 'CREATE')) THEN
RAISE insufficient_privilege USING MESSAGE = %s;
END IF;
`, r.OID, dollar("permission denied for schema "+r.Schema))
	}
	copied := dollar(fmt.Sprintf("CREATE TEMPORARY TABLE %s (LIKE %s)", probeTable, quote(table.Schema, table.Name)))
	if table.Kind == "p" {
		copied += fmt.Sprintf(" OPERATOR(pg_catalog.||) ' PARTITION BY ' OPERATOR(pg_catalog.||) pg_catalog.pg_get_partkeydef(%d::pg_catalog.oid)", table.OID)
	}
	fmt.Fprintf(&body, `IF EXISTS (SELECT FROM pg_catalog.pg_tablespace s
	WHERE s.spcname OPERATOR(pg_catalog.=) pg_catalog.current_setting('default_tablespace')::pg_catalog.name
	AND NOT pg_catalog.has_tablespace_privilege(s.oid, 'CREATE')) THEN
RAISE insufficient_privilege USING MESSAGE = %s;
END IF;
BEGIN
EXECUTE %s;
EXECUTE %s;
RAISE SQLSTATE 'PS000';
EXCEPTION WHEN SQLSTATE 'PS000' THEN NULL;
END;
END`, dollar("permission denied for tablespace "+known.Settings["default_tablespace"]), copied, dollar(text))
	return "DO " + dollar(body.String()), "", nil
}

// wholeRow reports whether the row itself is among the columns: as t.*, or by the table's name.
func wholeRow(table *facts.Relation, columns []string) bool {
	return slices.ContainsFunc(columns, func(name string) bool {
		return !slices.ContainsFunc(table.Columns, func(c facts.Column) bool { return c.Name == name }) && (name == "" || name == table.Name)
	})
}
