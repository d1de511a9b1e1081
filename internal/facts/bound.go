package facts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// boundWanted is the partition bound that a statement gives, of which table, and to which table that exists; nil if it gives none.
func boundWanted(stmt ddl.Statement) (bound *ddl.Bound, parent, child ddl.Name) {
	switch action := stmt.Action.(type) {
	case ddl.AlterTable:
		if len(action.Commands) != 1 || action.Commands[0].Op != "AttachPartition" {
			return nil, ddl.Name{}, ddl.Name{}
		}
		parent, child = action.Table, action.Commands[0].Relation
	case ddl.CreateTable:
		parent = action.PartitionOf
	}
	if parent.Name == "" {
		return nil, ddl.Name{}, ddl.Name{}
	}
	b, err := ddl.PartitionBound(stmt)
	if err != nil {
		return nil, parent, child
	}
	return &b, parent, child
}

// BoundCondition is the condition that a bound puts on the rows of a partition of the table, so written that the server can prove its own
// partition constraint from a CHECK of it (get_qual_from_partbound of partbounds.c). Where nobody but the server can write it, that is an
// error. Its operators are qualified, unless it is for a person to read.
func BoundCondition(bound ddl.Bound, parent *Relation, readable bool) (string, error) {
	key := parent.Key
	switch {
	case key == nil:
		return "", fmt.Errorf("%q is not partitioned", parent.Name)
	case bound.Unclear != "":
		return "", errors.New(bound.Unclear)
	case bound.Default:
		return "", fmt.Errorf("the default partition takes what no other partition of %q takes", parent.Name)
	case parent.PartitionOf != 0:
		return "", fmt.Errorf("%q is a partition itself, whose bound holds, too", parent.Name)
	case !key.Plain:
		return "", fmt.Errorf("%q is partitioned by an expression, a domain, or another order than its columns have", parent.Name)
	case string(rune(bound.Strategy)) != key.Strategy:
		return "", fmt.Errorf("%q is partitioned in another way", parent.Name)
	}
	columns := make([]boundColumn, len(key.Columns))
	for i, name := range key.Columns {
		column := parent.Column(name)
		if column == nil {
			return "", fmt.Errorf("a column of the key of %q is not known", parent.Name)
		}
		columns[i] = boundColumn{QuoteIdent(name), column.Type, readable}
		if bound.Strategy == 'h' && column.Collation != 0 {
			return "", fmt.Errorf("%q is partitioned by the hash of a text", parent.Name)
		}
	}
	switch bound.Strategy {
	case 'h':
		return hashCondition(bound, parent, columns, readable), nil
	case 'l':
		if len(columns) == 1 {
			return listCondition(bound, columns[0]), nil
		}
	case 'r':
		if len(bound.Lower) == len(columns) && len(bound.Upper) == len(columns) {
			return rangeCondition(bound, columns), nil
		}
	}
	return "", fmt.Errorf("the bound does not fit the key of %q", parent.Name)
}

// boundColumn is a column of a partition key.
type boundColumn struct {
	name, kind string
	readable   bool
}

func (c boundColumn) constant(v ddl.BoundValue) string {
	return "CAST(" + v.Text + " AS " + c.kind + ")"
}

func (c boundColumn) compare(operator string, v ddl.BoundValue) string {
	return c.with(operator, c.constant(v))
}

func (c boundColumn) with(operator, operand string) string {
	if !c.readable {
		operator = "OPERATOR(pg_catalog." + operator + ")"
	}
	return c.name + " " + operator + " " + operand
}

func hashCondition(bound ddl.Bound, parent *Relation, columns []boundColumn, readable bool) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	table := fmt.Sprintf("CAST(%d AS pg_catalog.oid)", parent.OID)
	if readable {
		table = "'" + strings.ReplaceAll(Key(parent.Schema, parent.Name), "'", "''") + "'::regclass"
	}
	return fmt.Sprintf("pg_catalog.satisfies_hash_partition(%s, %d, %d, %s)", table, bound.Modulus, bound.Remainder, strings.Join(names, ", "))
}

func listCondition(bound ddl.Bound, column boundColumn) string {
	var constants []string
	null := false
	for _, v := range bound.Values {
		if v.Null {
			null = true
			continue
		}
		constants = append(constants, column.constant(v))
	}
	among := column.with("=", "ANY (ARRAY["+strings.Join(constants, ", ")+"])")
	if len(constants) == 1 {
		among = column.with("=", constants[0])
	}
	switch {
	case null && len(constants) == 0:
		return column.name + " IS NULL"
	case null:
		return column.name + " IS NULL OR " + among
	}
	return column.name + " IS NOT NULL AND " + among
}

// rangeCondition is get_qual_for_range: what both ends have in common must be equal; behind it the first key that is greater than its end,
// or less, decides.
func rangeCondition(bound ddl.Bound, columns []boundColumn) string {
	var all []string
	for _, c := range columns {
		all = append(all, c.name+" IS NOT NULL")
	}
	same := 0
	for same < len(columns) && bound.Lower[same].Text != "" && bound.Lower[same].Text == bound.Upper[same].Text {
		all = append(all, columns[same].compare("=", bound.Lower[same]))
		same++
	}
	for _, end := range []struct {
		values     []ddl.BoundValue
		inner      string // where a later key may decide, and where none may
		last       string
		everything int // the end behind which every value of the next key is in
		closed     bool
	}{
		{bound.Lower, ">", ">=", -1, true},
		{bound.Upper, "<", "<=", 1, false},
	} {
		var arms []string
		for at := same; at < len(columns) && end.values[at].Text != ""; at++ {
			var arm []string
			for i := same; i < at; i++ {
				arm = append(arm, columns[i].compare("=", end.values[i]))
			}
			operator := end.inner
			if at == len(columns)-1 && end.closed || at < len(columns)-1 && end.values[at+1].Infinite == end.everything {
				operator = end.last
			}
			arms = append(arms, strings.Join(append(arm, columns[at].compare(operator, end.values[at])), " AND "))
		}
		if len(arms) > 0 {
			all = append(all, "("+strings.Join(arms, " OR ")+")")
		}
	}
	return strings.Join(all, " AND ")
}

// addProofs finds out which tables need not be scanned when a partition is attached: the new one because its constraints prove the bound, and
// the default partition because its constraints prove that it holds no row of it.
func addProofs(ctx context.Context, server Querier, known Facts, wanted []Wanted) error {
	for _, w := range wanted {
		parent := known.Relations[Key(w.Name.Schema, w.Name.Name)]
		if w.Bound == nil || parent == nil || parent.Kind != "p" {
			continue
		}
		condition, unwritten := BoundCondition(*w.Bound, parent, false)
		if child := known.Relations[Key(w.Child.Schema, w.Child.Name)]; child != nil && unwritten == nil {
			if err := prove(ctx, server, child, parent, "NOT ("+condition+")"); err != nil {
				return err
			}
		}
		for _, p := range parent.Partitions {
			if !p.Default || p.Parent != parent.OID || w.Bound.Default {
				continue
			}
			more, err := Read(ctx, server, []Wanted{{Name: ddl.Name{Schema: p.Schema, Name: p.Name}}})
			if err != nil {
				return err
			}
			maps.Copy(known.Relations, more.Relations)
			if rest := known.Relations[Key(p.Schema, p.Name)]; rest != nil && unwritten == nil {
				if err := prove(ctx, server, rest, parent, condition); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// prove asks the server's planner whether a table's constraints exclude every row of a condition. It plans a UNION of the table with itself,
// because for one table alone constraint_exclusion is off by default, and runs nothing. It is not asked where it would have to wait.
func prove(ctx context.Context, server Querier, table, parent *Relation, condition string) error {
	proof := slices.ContainsFunc(table.Constraints, func(k Constraint) bool { return k.Type == "c" && k.Validated })
	if !proof || table.Kind != "r" || table.Empty || table.Bytes < 0 || !table.Readable {
		return nil
	}
	names := make([]string, len(parent.Key.Columns))
	for i, name := range parent.Key.Columns {
		names[i] = QuoteIdent(name)
		if table.Column(name) == nil {
			return nil // the server says so
		}
	}
	rows := fmt.Sprintf("SELECT %s FROM ONLY %s", strings.Join(names, ", "), Key(table.Schema, table.Name))
	plan, err := server.Query(ctx, fmt.Sprintf("EXPLAIN (FORMAT JSON, COSTS OFF) SELECT FROM (%s UNION ALL %s) AS rows WHERE %s", rows, rows, condition))
	if err != nil {
		return fmt.Errorf("cannot ask whether the constraints of %q prove the bound: %w", table.Name, err)
	}
	var explained []struct {
		Plan struct {
			NodeType string            `json:"Node Type"`
			Plans    []json.RawMessage `json:"Plans"`
		} `json:"Plan"`
	}
	if err := json.Unmarshal([]byte(strings.Join(plan, "\n")), &explained); err != nil {
		return fmt.Errorf("cannot read the plan that tells whether the constraints of %q prove the bound: %w", table.Name, err)
	}
	table.Proven = len(explained) == 1 && explained[0].Plan.NodeType == "Result" && len(explained[0].Plan.Plans) == 0
	return nil
}
