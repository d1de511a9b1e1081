package facts

import (
	"context"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

//go:embed unanalyzed.sql
var unanalyzedSQL string

// ErrNotExplained means that a server explains the client's statement, but not another one in its place.
var ErrNotExplained = errors.New("only the statement itself can be explained")

// The planner takes a condition on a column without statistics for one that hardly any row meets: IS NULL for 0.5%. A column just added is NULL in every
// row, so that its backfill would be expected to change next to nothing. Such a condition is taken here for one that all rows meet, and the planner is asked
// again; what else the statement asks for (a range of keys, a LIMIT) holds. The planner's guess is kept where nothing better is known: for the columns of two
// tables that are joined, and for one value of a column that "guessed" is said of.

// unguessed is what a statement changes if no condition is met for want of statistics alone; nil where there is none of these.
func unguessed(ctx context.Context, server Querier, statement string, guessed *Writing) (*Writing, error) {
	restricted, err := ddl.ReadRestricted(statement)
	if err != nil || len(restricted.Restrictions) == 0 {
		return nil, nil // what cannot be parsed is not split either
	}
	explainer, explains := server.(Explainer)
	if explains {
		if open, err := explainer.StatisticsOpen(ctx); err != nil || !open {
			return nil, err
		}
	}
	tables, err := statistics(ctx, server, restricted)
	if err != nil {
		return nil, err
	}
	left := slices.DeleteFunc(slices.Clone(restricted.Restrictions), func(r ddl.Restriction) bool { return !tables.guesses(r) })
	if len(left) == 0 {
		return nil, nil
	}
	anew, err := restricted.Without(left)
	if err == nil {
		w, err := explain(ctx, server, anew)
		if !errors.Is(err, ErrNotExplained) {
			return w, err
		}
	}
	return tables.whole(guessed), nil
}

// tableStatistics is what unanalyzed.sql says of a table, and by which aliases the statement knows it.
type tableStatistics struct {
	Number  int               `json:"number"`
	Rows    float64           `json:"rows"`
	Columns map[string]string `json:"columns"`

	name    ddl.Name
	aliases []string
}

// statisticsOf are those of the tables that a statement names.
type statisticsOf []tableStatistics

// statistics asks for the statistics of the columns that conditions read.
func statistics(ctx context.Context, server Querier, restricted *ddl.Restricted) (statisticsOf, error) {
	var tables statisticsOf
	for alias, names := range restricted.Tables {
		for _, name := range names {
			i := slices.IndexFunc(tables, func(t tableStatistics) bool { return t.name == name })
			if i < 0 {
				i, tables = len(tables), append(tables, tableStatistics{name: name})
			}
			tables[i].aliases = append(tables[i].aliases, alias)
		}
	}
	type wanted struct {
		Number  int      `json:"number"`
		Name    string   `json:"name"`
		Columns []string `json:"columns"`
	}
	asked := []wanted{}
	for i, t := range tables {
		w := wanted{Number: i, Name: Key(t.name.Schema, t.name.Name), Columns: []string{}}
		for _, r := range restricted.Restrictions {
			for _, use := range r.Columns {
				w.Columns = append(w.Columns, use.Column)
			}
		}
		asked = append(asked, w)
	}
	text, err := json.Marshal(asked)
	if err != nil {
		return nil, fmt.Errorf("cannot encode which statistics are wanted: %w", err)
	}
	rows, err := server.Query(ctx, unanalyzedSQL, hex.EncodeToString(text))
	if err != nil {
		return nil, fmt.Errorf("cannot ask for statistics: %w", err)
	}
	for _, row := range rows {
		var answer tableStatistics
		if err := decodeJSON(row, &answer); err != nil {
			return nil, err
		}
		if answer.Number < 0 || answer.Number >= len(tables) {
			return nil, fmt.Errorf("cannot decode statistics: table %d was not asked", answer.Number)
		}
		tables[answer.Number].Rows, tables[answer.Number].Columns = answer.Rows, answer.Columns
	}
	return tables, nil
}

// guesses reports whether the planner can only guess how many rows of one table meet a condition.
func (tables statisticsOf) guesses(r ddl.Restriction) bool {
	for _, t := range tables {
		alone, guess := true, false
		for _, use := range r.Columns {
			known, has := t.Columns[use.Column]
			names := func(alias string) bool {
				return alias == use.Table || use.Table == "" && slices.Contains(r.Scope, alias)
			}
			alone = alone && has && slices.ContainsFunc(t.aliases, names)
			guess = guess || known == "unknown" || known == "guessed" && !r.Equal
		}
		if alone && guess {
			return true
		}
	}
	return false
}

// whole is that of all rows of the tables that are changed.
func (tables statisticsOf) whole(w *Writing) *Writing {
	all := &Writing{}
	for _, change := range w.Changes {
		for _, t := range tables {
			if t.name.Name == change.Table {
				change.Rows = max(change.Rows, t.Rows)
			}
		}
		all.Changes = append(all.Changes, change)
	}
	return all
}
