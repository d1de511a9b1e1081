package run

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/rewrite"
)

//go:embed fillkey.sql
var fillKeySQL string

// A batch is to take about batchTime, and begins with firstBatch rows.
const (
	batchTime  = 300 * time.Millisecond
	firstBatch = 500
	mostRows   = 50_000
)

// fillKey is the key along which a fill goes: its columns, their types, and the operators of its order, as SQL.
type fillKey struct {
	Columns []string `json:"columns"`
	Types   []string `json:"types"`
	Less    string   `json:"less"`
	AtMost  string   `json:"at_most"`
	More    string   `json:"more"`
}

// bound is a key's values as text, one for each column; nil is before the first row.
type bound []string

// fill runs a step in batches. Their ends are looked up and not computed, since keys may be sparse and of any type; the last one is fixed
// before the first batch, since rows that come later need nothing.
func (w *work) fill(ctx context.Context, step rewrite.Step) error {
	key, err := w.fillKey(ctx, step)
	if err != nil {
		return err
	}
	table := "ONLY " + quote(step.Table.Schema, step.Table.Name)
	last, err := w.bound(ctx, key, fmt.Sprintf("FROM %s ORDER BY %s LIMIT 1", table, key.order(key.More)))
	if err != nil || last == nil {
		return err
	}
	w.ran(step)
	filled := 0
	for lo, size := bound(nil), firstBatch; ; {
		from, args := key.between(lo, last)
		hi, err := w.bound(ctx, key, fmt.Sprintf("FROM %s WHERE %s ORDER BY %s OFFSET %d LIMIT 1", table, from, key.order(key.Less), size-1), args...)
		if err != nil {
			return err
		}
		end := hi == nil
		if end {
			hi = last
		}
		began := time.Now()
		rows, err := w.batch(ctx, step, table, key, lo, hi)
		if err != nil {
			return err
		}
		filled += rows
		if end {
			w.result.Tag = "UPDATE " + strconv.Itoa(filled)
			return nil
		}
		w.say(func() string {
			return fmt.Sprintf("pgsluice: filling column %s of %s: %d rows so far", ident(step.Fill.Column), quote(step.Table.Schema, step.Table.Name), filled)
		})
		lo, size = hi, nextBatch(size, time.Since(began))
	}
}

// nextBatch is how many rows the next batch has: it grows and shrinks in steps.
func nextBatch(rows int, took time.Duration) int {
	switch {
	case took > batchTime*3/2:
		return max(rows/2, 1)
	case took < batchTime*2/3:
		return min(rows*3/2+1, mostRows)
	}
	return rows
}

// batch changes the rows behind lo up to hi, in a transaction of its own. Rows that others have locked are waited for as a table's lock is.
func (w *work) batch(ctx context.Context, step rewrite.Step, table string, key fillKey, lo, hi bound) (rows int, err error) {
	within, args := key.between(lo, hi)
	update := fmt.Sprintf("UPDATE %s SET %s WHERE (%s) AND %s", table, step.Fill.Set, step.Fill.Where, within)
	err = w.ladder(ctx, step, true, w.inTransaction(func(ctx context.Context) error {
		if err := w.same(ctx, step); err != nil {
			return err
		}
		tag, err := w.Conn.Exec(ctx, update, args...)
		if err != nil {
			return err
		}
		rows, err = strconv.Atoi(strings.TrimPrefix(tag, "UPDATE "))
		return err
	}))
	return rows, err
}

func (w *work) fillKey(ctx context.Context, step rewrite.Step) (key fillKey, err error) {
	found, err := w.Conn.Query(ctx, fillKeySQL, strconv.FormatUint(uint64(step.Table.OID), 10))
	if err != nil {
		return key, err
	}
	if len(found) == 0 {
		return key, &Failure{
			Code: "55000", // object_not_in_prerequisite_state
			Message: fmt.Sprintf("pgsluice: column %s of %s cannot be filled in batches: the table has no unique index over NOT NULL columns to go along",
				ident(step.Fill.Column), quote(step.Table.Schema, step.Table.Name)),
			Hint: "Give it a primary key, and run this again.",
		}
	}
	if err := json.Unmarshal([]byte(found[0]), &key); err != nil {
		return key, fmt.Errorf("cannot read the key of %s: %w", quote(step.Table.Schema, step.Table.Name), err)
	}
	return key, nil
}

// bound asks for the key of one row; nil if there is none. The values are written in forms that read the same under any setting.
func (w *work) bound(ctx context.Context, key fillKey, from string, args ...string) (found bound, err error) {
	values := make([]string, len(key.Columns))
	for i, column := range key.Columns {
		values[i] = fmt.Sprintf("pg_catalog.format('%%s', %s)", ident(column))
	}
	err = w.Conn.InTx(ctx, func(ctx context.Context) error {
		_, err := w.Conn.Exec(ctx, `SELECT pg_catalog.set_config('DateStyle', 'ISO, YMD', true),
			pg_catalog.set_config('IntervalStyle', 'iso_8601', true), pg_catalog.set_config('extra_float_digits', '3', true)`)
		if err != nil {
			return err
		}
		rows, err := w.Conn.Query(ctx, fmt.Sprintf("SELECT pg_catalog.json_build_array(%s) %s", strings.Join(values, ", "), from), args...)
		if err != nil || len(rows) == 0 {
			return err
		}
		return json.Unmarshal([]byte(rows[0]), &found)
	})
	return found, err
}

func (k fillKey) order(operator string) string {
	columns := make([]string, len(k.Columns))
	for i, column := range k.Columns {
		columns[i] = ident(column) + " USING " + operator
	}
	return strings.Join(columns, ", ")
}

// between is the condition for the keys behind lo, up to hi, and its parameters.
func (k fillKey) between(lo, hi bound) (condition string, args []string) {
	columns := make([]string, len(k.Columns))
	for i, column := range k.Columns {
		columns[i] = ident(column)
	}
	compare := func(operator string, with bound) string {
		values := make([]string, len(with))
		for i, value := range with {
			args = append(args, value)
			values[i] = fmt.Sprintf("$%d::%s", len(args), k.Types[i])
		}
		return fmt.Sprintf("ROW(%s) %s ROW(%s)", strings.Join(columns, ", "), operator, strings.Join(values, ", "))
	}
	condition = compare(k.AtMost, hi)
	if lo != nil {
		condition = compare(k.More, lo) + " AND " + condition
	}
	return condition, args
}
