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
	text, err := concurrentIndex(stmt, create, table, name)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{
		Object: name,
		Notice: fmt.Sprintf("building index %q on %q concurrently", name, table.Name),
		Steps: []Step{{
			SQL: text, Where: Alone, Table: target(table, columns...),
			Index: Index{Schema: table.Schema, Name: name, Plain: !create.Expression && !create.Partial},
			Done:  indexDone(create, table, name),
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

// concurrentIndex is the client's text with the name, CONCURRENTLY, and the table's schema.
func concurrentIndex(stmt ddl.Statement, create ddl.CreateIndex, table *facts.Relation, name string) (string, error) {
	forms := []func(ddl.Statement) (string, error){
		ddl.Concurrently,
		func(s ddl.Statement) (string, error) { return ddl.Qualified(s, table.Schema, table.Name) },
	}
	if create.Name == "" {
		forms = append(forms, func(s ddl.Statement) (string, error) { return ddl.Named(s, name) })
	}
	for _, form := range forms {
		text, err := form(stmt)
		if err != nil {
			return "", err
		}
		if stmt, err = ddl.Reparse(text); err != nil {
			return "", err
		}
	}
	return stmt.Text, nil
}

// indexDone asks whether there is a valid index of that name, with the same keys, on that table. What expressions and predicates say is not
// compared: the server writes them in its own way.
func indexDone(create ddl.CreateIndex, table *facts.Relation, name string) string {
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
		" WHERE i.indrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) %s AND i.indisvalid"+
		" AND i.indisunique OPERATOR(pg_catalog.=) %t AND a.amname OPERATOR(pg_catalog.=) %s"+
		" AND (i.indpred IS NOT NULL) OPERATOR(pg_catalog.=) %t AND i.indnkeyatts OPERATOR(pg_catalog.=) %d::pg_catalog.int2"+
		" AND pg_catalog.starts_with(i.indkey::pg_catalog.text OPERATOR(pg_catalog.||) ' ', %s))",
		table.OID, literal(name), create.Unique, literal(create.Method), create.Partial, len(keys), literal(strings.Join(keys, " ")+" "))
}

// probeTable and probeIndex are the names under which a statement is tried out.
const (
	probeTable = "pgsluice_probe"
	probeIndex = "pgsluice_probe_idx"
)

// probe tries the index on an empty temporary copy of the table: the server's own error comes out of it, and nothing else. What the copy
// cannot tell, whether anything may be created beside the table, is asked before.
func probe(stmt ddl.Statement, known facts.Facts, table *facts.Relation, columns []string) (block, unprobed string, err error) {
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
	body := fmt.Sprintf(`BEGIN
IF EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) %d::pg_catalog.oid
	AND NOT pg_catalog.has_schema_privilege(c.relnamespace, 'CREATE')) THEN
RAISE insufficient_privilege USING MESSAGE = %s;
END IF;
IF EXISTS (SELECT FROM pg_catalog.pg_tablespace s
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
END`, table.OID, dollar("permission denied for schema "+table.Schema), dollar("permission denied for tablespace "+known.Settings["default_tablespace"]),
		dollar(fmt.Sprintf("CREATE TEMPORARY TABLE %s (LIKE %s)", probeTable, quote(table.Schema, table.Name))), dollar(text))
	return "DO " + dollar(body), "", nil
}

// wholeRow reports whether the row itself is among the columns: as t.*, or by the table's name.
func wholeRow(table *facts.Relation, columns []string) bool {
	return slices.ContainsFunc(columns, func(name string) bool {
		return !slices.ContainsFunc(table.Columns, func(c facts.Column) bool { return c.Name == name }) && (name == "" || name == table.Name)
	})
}
