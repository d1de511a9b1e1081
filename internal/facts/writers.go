package facts

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed writers.sql
var writersSQL string

// addWriters adds how long the oldest transaction that is in the way of a foreign key has been in the way of it. It takes one more question.
func addWriters(ctx context.Context, server Querier, known Facts, wanted []Wanted) error {
	var referenced []*Relation
	var oids []string
	for _, w := range wanted {
		r := known.Relations[Key(w.Name.Schema, w.Name.Name)]
		if w.Writers && r != nil && !r.CreatedHere {
			referenced, oids = append(referenced, r), append(oids, strconv.FormatUint(uint64(r.OID), 10))
		}
	}
	if len(oids) == 0 {
		return nil
	}
	rows, err := server.Query(ctx, writersSQL, "{"+strings.Join(oids, ",")+"}")
	if err != nil {
		return fmt.Errorf("cannot ask who writes: %w", err)
	}
	for _, row := range rows {
		var busy struct {
			OID     uint32   `json:"oid"`
			Seconds *float64 `json:"seconds"`
		}
		if err := decodeJSON(row, &busy); err != nil {
			return err
		}
		for _, r := range referenced {
			if r.OID != busy.OID {
				continue
			}
			r.Busy = -1
			if busy.Seconds != nil {
				r.Busy = *busy.Seconds
			}
		}
	}
	return nil
}
