package facts

import (
	"context"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

//go:embed touched.sql
var touchedSQL string

// Few is whether the parts of a statement touch fewer rows than a number, whatever its parameters are.
type Few struct {
	// Certain is true when they do. Keyed is true when unique keys alone say so; otherwise the size of a table, or statistics, which change.
	Certain, Keyed bool
	// Only is true when the names of its tables cannot mean others in another session, whatever its search_path and its role.
	Only bool
	// MostBytes is how long the statement, or its parameters, may be for that: arrays of unknown length have a value in every two bytes. 0 is any length.
	MostBytes int
}

// TouchesFew asks whether every part of a statement touches fewer than so many rows: because an equality holds for all columns of a unique
// key, because no value of a column is as frequent, or because the table is small. It takes one round trip, about 0.5 ms, and opens no relation.
func TouchesFew(ctx context.Context, server Querier, touches []ddl.Touch, rows int64) (Few, error) {
	type wanted struct {
		Number  int      `json:"number"`
		Name    string   `json:"name"`
		Schema  string   `json:"schema"`
		Columns []string `json:"columns"`
	}
	var asked []wanted
	for i, t := range touches {
		if t.Most > 0 && int64(t.Most) < rows {
			continue
		}
		if t.Table.Name == "" {
			return Few{}, nil
		}
		w := wanted{Number: i, Name: Key(t.Table.Schema, t.Table.Name), Schema: t.Table.Schema, Columns: []string{}}
		for _, e := range t.Equal {
			w.Columns = append(w.Columns, e.Column)
		}
		asked = append(asked, w)
	}
	few := Few{Certain: true, Keyed: true, Only: true}
	if len(asked) == 0 {
		return few, nil
	}
	text, err := json.Marshal(asked)
	if err != nil {
		return Few{}, fmt.Errorf("cannot encode what a statement touches: %w", err)
	}
	answers, err := server.Query(ctx, touchedSQL, hex.EncodeToString(text))
	if err != nil {
		return Few{}, fmt.Errorf("cannot ask how many rows a statement touches: %w", err)
	}
	if len(answers) != len(asked) {
		return Few{}, nil
	}
	for _, row := range answers {
		var known touchedTable
		if err := decodeJSON(row, &known); err != nil {
			return Few{}, err
		}
		if known.Number < 0 || known.Number >= len(touches) {
			return Few{}, fmt.Errorf("cannot decode what a statement touches: part %d was not asked", known.Number)
		}
		few.add(known, touches[known.Number], rows)
	}
	return few, nil
}

// touchedTable is what touched.sql answers.
type touchedTable struct {
	Number int                `json:"number"`
	Only   bool               `json:"only"`
	Keys   [][]string         `json:"keys"`
	Rows   float64            `json:"rows"`
	Often  map[string]float64 `json:"often"`
}

// add takes in one more part.
func (f *Few) add(known touchedTable, touch ddl.Touch, rows int64) {
	f.Only = f.Only && known.Only
	for _, key := range known.Keys {
		if bytes, ok := picked(key, touch.Equal, rows); ok {
			if bytes > 0 && (f.MostBytes == 0 || bytes < f.MostBytes) {
				f.MostBytes = bytes
			}
			return
		}
	}
	f.Keyed = false
	most := known.Rows
	for _, e := range touch.Equal {
		if often, ok := known.Often[e.Column]; ok && e.Values > 0 {
			// What statistics say of one value is twice as much in the worst case that is worth thinking of.
			most = min(most, 2*known.Rows*often*float64(e.Values))
		}
	}
	f.Certain = f.Certain && known.Rows > 0 && most < float64(rows)
}

// picked reports whether equalities hold for all columns of a key and leave fewer than so many of its values; bytes is how long an array of unknown
// length may be for that, 0 if there is none.
func picked(key []string, equal []ddl.Equality, rows int64) (bytes int, ok bool) {
	product, arrays := int64(1), 0
	for _, column := range key {
		i := slices.IndexFunc(equal, func(e ddl.Equality) bool { return e.Column == column })
		switch {
		case i < 0:
			return 0, false
		case equal[i].Values == 0:
			arrays++
		default:
			product *= int64(equal[i].Values)
		}
		if product >= rows || arrays > 1 {
			return 0, false
		}
	}
	if arrays == 1 {
		return int(2 * ((rows - 1) / product)), rows > 1
	}
	return 0, len(key) > 0
}
