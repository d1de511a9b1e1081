package run

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/pgsluice/pgsluice/rewrite"
)

//go:embed key.sql
var keySQL string

// bound is a key's values as text, one for each column; nil is before the first row.
type bound []string

// keyOf is the key that the batches of a step go along.
func (w *work) keyOf(ctx context.Context, step rewrite.Step) (key rewrite.Key, err error) {
	if step.Batch.Key != nil {
		return *step.Batch.Key, nil
	}
	found, err := w.Conn.Query(ctx, keySQL, strconv.FormatUint(uint64(step.Table.OID), 10))
	if err != nil {
		return key, err
	}
	if len(found) == 0 {
		what := "cannot be written in batches"
		if step.Batch.Column != "" {
			what = fmt.Sprintf("cannot have its column %s filled in batches", ident(step.Batch.Column))
		}
		return key, &Failure{
			Code: "55000", // object_not_in_prerequisite_state
			Message: fmt.Sprintf("pgsluice: %s %s: the table has no unique index over NOT NULL columns to go along",
				quote(step.Table.Schema, step.Table.Name), what),
			Hint: "Give it a primary key, and run this again.",
		}
	}
	if err := json.Unmarshal([]byte(found[0]), &key); err != nil {
		return key, fmt.Errorf("cannot read the key of %s: %w", quote(step.Table.Schema, step.Table.Name), err)
	}
	return key, nil
}

// course is where the keys of a batch's table are: how its rows are named in SQL.
type course struct {
	rewrite.Key
	table rewrite.Target
	alias string
}

func (c course) columns() []string {
	columns := make([]string, len(c.Columns))
	for i, column := range c.Columns {
		columns[i] = quote(c.alias, column)
	}
	return columns
}

// order sorts by the key; the operator is Less or More.
func (c course) order(operator string) string {
	columns := c.columns()
	for i := range columns {
		columns[i] += " USING " + operator
	}
	return strings.Join(columns, ", ")
}

// between is the condition for the keys behind lo, up to hi, with parameters that are numbered from behind before.
func (c course) between(lo, hi bound, before int) (condition string, args []string) {
	compare := func(operator string, with bound) string {
		values := make([]string, len(with))
		for i, value := range with {
			args = append(args, value)
			values[i] = fmt.Sprintf("$%d::%s", before+len(args), c.Types[i])
		}
		return fmt.Sprintf("ROW(%s) %s ROW(%s)", strings.Join(c.columns(), ", "), operator, strings.Join(values, ", "))
	}
	condition = compare(c.AtMost, hi)
	if lo != nil {
		condition = compare(c.More, lo) + " AND " + condition
	}
	return condition, args
}

// plainForms make the server write values so that they read the same under any setting. The order in which a date is read is left as it is: the client's
// condition may have one.
const plainForms = `SELECT pg_catalog.set_config('DateStyle', 'ISO', true), pg_catalog.set_config('IntervalStyle', 'iso_8601', true),
	pg_catalog.set_config('extra_float_digits', '3', true), pg_catalog.set_config('statement_timeout', '0', true)`

// look asks for a key without holding anything: the calls are a transaction of their own, of whose answers the last but one is the key.
func (c course) look(rest string, params []rewrite.Param, args []string) []Call {
	return []Call{
		{SQL: "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"},
		{SQL: plainForms},
		c.lookFor(rest, params, args),
		{SQL: "COMMIT"},
	}
}

// lookFor is the question itself.
func (c course) lookFor(rest string, params []rewrite.Param, args []string) Call {
	values := c.columns()
	for i := range values {
		values[i] = fmt.Sprintf("pg_catalog.format('%%s', %s)", values[i])
	}
	return Call{
		SQL: fmt.Sprintf("SELECT pg_catalog.json_build_array(%s) FROM ONLY %s AS %s %s", strings.Join(values, ", "),
			quote(c.table.Schema, c.table.Name), ident(c.alias), rest),
		Params: params, Args: args,
	}
}

// looks is how many calls a look has.
const looks = 4

// looked reads the key from the answers to a look; nil if there is none.
func looked(answers []Answer) (found bound, err error) {
	if len(answers) != looks {
		return nil, nil
	}
	return keyIn(answers[looks-2])
}

// lastKey is the key of the last row that there is; nil in an empty table.
func (w *work) lastKey(ctx context.Context, c course) (bound, error) {
	answers, err := w.Conn.Pipeline(ctx, c.look("ORDER BY "+c.order(c.More)+" LIMIT 1", nil, nil)...)
	if err != nil {
		return nil, w.rolledBack(ctx, err)
	}
	return looked(answers)
}

// rolledBack ends the transaction that an error has left open.
func (w *work) rolledBack(ctx context.Context, cause error) error {
	if SQLState(cause) == "" || w.Conn.TxStatus() == 'I' {
		return cause
	}
	err := w.persist(ctx, func(ctx context.Context) error {
		_, err := w.Conn.Exec(ctx, "ROLLBACK")
		return err
	})
	if err != nil {
		return err
	}
	return cause
}
