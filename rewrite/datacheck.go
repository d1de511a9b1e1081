package rewrite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// duplicates finds two rows with the same keys. NULLs are different from each other unless the index says otherwise. Grouping compares by
// the type's own equality, as the index will, whatever operators search_path has.
func duplicates(stmt ddl.Statement, create ddl.CreateIndex, table *facts.Relation, name string) DataCheck {
	if !create.Unique || !table.Readable {
		return DataCheck{}
	}
	keys := ddl.IndexKeys(stmt)
	var conditions []string
	if create.Partial {
		conditions = append(conditions, "("+stmt.Text[create.Where.Start:create.Where.End]+"\n)")
	}
	if !create.NullsNotDistinct {
		for _, key := range keys {
			conditions = append(conditions, "("+key+"\n) IS NOT NULL")
		}
	}
	return DataCheck{
		SQL: fmt.Sprintf("SELECT %s FROM %s%s GROUP BY %s\nHAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1",
			row("Key ("+strings.Join(keys, ", ")+")=(", keys, ") is duplicated."), only(table), where(conditions), strings.Join(keys, "\n, ")),
		Code:    "23505",
		Message: fmt.Sprintf("could not create unique index %q", name),
	}
}

// violations finds out whether a row breaks the constraint which a command adds. It cannot if the same statement makes its columns.
func violations(stmt ddl.Statement, known facts.Facts, table *facts.Relation, command int, add ddl.Constraint) (DataCheck, error) {
	columns := add.Columns
	if add.Type == ddl.Check {
		var err error
		if columns, err = ddl.CheckColumns(stmt, command); err != nil {
			return DataCheck{}, err
		}
	}
	if !table.Readable || len(target(table, columns...).Columns) != len(columns) {
		return DataCheck{}, nil
	}
	if add.Type == ddl.ForeignKey {
		return orphans(stmt, known, table, command, add)
	}
	from := quote(table.Schema, table.Name)
	if add.NoInherit {
		from = "ONLY " + from
	}
	return DataCheck{
		SQL:     anyRow("Rows that exist violate it.", from, "NOT ("+stmt.Text[add.Expr.Start:add.Expr.End]+"\n)"),
		Code:    "23514",
		Message: fmt.Sprintf("check constraint %q of relation %q is violated by some row", add.Name, table.Name),
	}, nil
}

// anyRow finds out whether a row meets a condition. The rows are planned as if all of them were wanted: for the first one alone the planner expects to have
// read enough soon, and takes no workers, while all is read as a rule, because none does.
func anyRow(text, from, condition string) string {
	return fmt.Sprintf("WITH k(found) AS MATERIALIZED (SELECT %s FROM %s WHERE %s) SELECT found FROM k LIMIT 1", literal(text), from, condition)
}

// orphans finds a key that the parent does not have, compared as the foreign key will, whatever operators search_path has. A join is several
// times as fast as EXCEPT; the planner must not take LIMIT for a reason to look up each row.
func orphans(stmt ddl.Statement, known facts.Facts, table *facts.Relation, command int, add ddl.Constraint) (DataCheck, error) {
	parent := known.Relations[facts.Key(add.Parent.Schema, add.Parent.Name)]
	if parent == nil || !parent.Readable {
		return DataCheck{}, nil
	}
	referenced := referencedColumns(add, parent)
	if !comparable(table, add.Columns, parent, referenced) {
		return DataCheck{}, nil // the server says what is wrong, if anything is
	}
	full, err := ddl.MatchFull(stmt, command)
	if err != nil {
		return DataCheck{}, err
	}
	columns, key := quoteAll(add.Columns), make([]string, len(add.Columns))
	var conditions []string
	for i, column := range columns {
		key[i] = fmt.Sprintf("c%d", i+1)
		conditions = append(conditions, column+" IS NOT NULL")
	}
	missing := fmt.Sprintf("SELECT %s FROM %s%s EXCEPT SELECT %s FROM %s", strings.Join(columns, ", "), only(table), where(conditions),
		strings.Join(quoteAll(referenced), ", "), only(parent))
	if equalByOperator(table, add.Columns) {
		equal := make([]string, len(columns))
		for i, column := range quoteAll(referenced) {
			equal[i] = fmt.Sprintf("p.%s OPERATOR(pg_catalog.=) c.%s", column, columns[i])
		}
		missing = fmt.Sprintf("SELECT %s FROM %s AS c%s AND NOT EXISTS (SELECT FROM %s AS p WHERE %s)", strings.Join(columns, ", "), only(table),
			where(conditions), only(parent), strings.Join(equal, " AND "))
	}
	check := DataCheck{
		SQL: fmt.Sprintf("WITH k(%s) AS MATERIALIZED (%s) SELECT %s FROM k LIMIT 1", strings.Join(key, ", "), missing,
			row("Key ("+strings.Join(add.Columns, ", ")+")=(", key, fmt.Sprintf(") is not present in table %q.", parent.Name))),
		Code:    "23503",
		Message: fmt.Sprintf("insert or update on table %q violates foreign key constraint %q", table.Name, add.Name),
	}
	if full && len(columns) > 1 {
		mixed := anyRow("MATCH FULL does not allow mixing of null and nonnull key values.", only(table),
			fmt.Sprintf("(%s IS NULL) AND (%s)", strings.Join(columns, " IS NULL OR "), strings.Join(conditions, " OR ")))
		check.SQL = fmt.Sprintf("(%s) UNION ALL (%s) LIMIT 1", mixed, check.SQL)
	}
	return check, nil
}

// comparable reports whether the keys of two tables have types that compare in one way only: equal ones, or two sizes of one.
func comparable(child *facts.Relation, columns []string, parent *facts.Relation, referenced []string) bool {
	if len(columns) != len(referenced) {
		return false
	}
	for i := range columns {
		a, b := family(child, columns[i]), family(parent, referenced[i])
		if a == "" || a != b {
			return false
		}
	}
	return true
}

// equalByOperator reports whether the server's own = is how the columns are compared, which for text also depends on collations.
func equalByOperator(r *facts.Relation, columns []string) bool {
	return !slices.ContainsFunc(columns, func(column string) bool {
		return !slices.Contains([]string{"integer", "numeric", "uuid"}, family(r, column))
	})
}

// family is a column's type without its modifier, integers and strings each being one; "" if there is no such column.
func family(r *facts.Relation, column string) string {
	for _, c := range r.Columns {
		if c.Name != column {
			continue
		}
		name, _, _ := strings.Cut(c.Type, "(")
		switch name {
		case "smallint", "integer", "bigint":
			return "integer"
		case "character varying", "text":
			return "text"
		}
		return name
	}
	return ""
}

// referencedColumns are the columns that a foreign key references: the primary key's, when it names none.
func referencedColumns(add ddl.Constraint, parent *facts.Relation) []string {
	if len(add.ParentCols) > 0 {
		return add.ParentCols
	}
	for _, i := range parent.Indexes {
		if i.Primary {
			return i.Columns
		}
	}
	return nil
}

// only is the FROM item for the rows that are the table's own, which for a partitioned table are those of its partitions.
func only(r *facts.Relation) string {
	if r.Kind == "p" {
		return quote(r.Schema, r.Name)
	}
	return "ONLY " + quote(r.Schema, r.Name)
}

func where(conditions []string) string {
	if len(conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conditions, " AND ")
}

// row is an expression for the values of a row, between two texts.
func row(before string, values []string, after string) string {
	shown := make([]string, len(values))
	for i, value := range values {
		shown[i] = "COALESCE((" + value + "\n)::pg_catalog.text, 'null')"
	}
	return fmt.Sprintf("pg_catalog.concat(%s, %s, %s)", literal(before), strings.Join(shown, ", ', ', "), literal(after))
}

func quoteAll(names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = quote(name)
	}
	return list
}
