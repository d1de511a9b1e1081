package facts

import (
	"context"
	_ "embed"
	"slices"
)

//go:embed building.sql
var buildingSQL string

// addBuilding adds which invalid indexes some backend may be building; one that has been built meanwhile is valid. It takes one more question where there are any.
func (q *question) addBuilding(ctx context.Context, server Querier) error {
	var about []uint32
	for oid, r := range q.byOID {
		if slices.ContainsFunc(r.Indexes, func(i Index) bool { return !i.Valid }) {
			about = append(about, oid)
		}
	}
	if len(about) == 0 {
		return nil
	}
	var now struct {
		Building []uint32 `json:"building"`
		Valid    []uint32 `json:"valid"`
	}
	if err := askJSON(ctx, server, buildingSQL, about, &now); err != nil {
		return err
	}
	for _, oid := range about {
		indexes := q.byOID[oid].Indexes
		for i := range indexes {
			if !indexes[i].Valid && slices.Contains(now.Valid, indexes[i].OID) {
				indexes[i].Valid, indexes[i].Ready = true, true
			}
			indexes[i].Building = !indexes[i].Valid && slices.Contains(now.Building, oid)
		}
	}
	return nil
}
