package facts

import (
	"context"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

var (
	//go:embed tree.sql
	treeSQL string
	//go:embed edges.sql
	edgesSQL string
	//go:embed partitioned.sql
	partitionedSQL string
	//go:embed distributed.sql
	distributedSQL string
)

// treeRoot is what tree.sql is asked about.
type treeRoot struct {
	OID     uint32 `json:"oid"`
	Below   bool   `json:"below"`   // whether what is below it is to be described
	Defined bool   `json:"defined"` // and whether the bounds are wanted
}

// askTrees asks for what is below the relations, if anything is, and for the partitioned tables.
func (q *question) askTrees(ctx context.Context, server Querier) (answers, error) {
	roots := map[uint32]treeRoot{}
	for oid, r := range q.byOID {
		if r.Kind == "p" || q.members[oid].Rooted {
			roots[oid] = treeRoot{OID: oid}
		}
	}
	if len(roots) == 0 {
		return answers{}, nil
	}
	for number, oid := range q.names {
		if r, ok := roots[oid]; ok {
			roots[oid] = treeRoot{oid, r.Below || q.wanted[number].Children, r.Defined || q.wanted[number].Definitions}
		}
	}
	list := slices.Collect(maps.Values(roots))
	parameter, err := hexJSON(list)
	if err != nil {
		return answers{}, err
	}
	parts := []string{relationsSQL, edgesSQL, partitionedSQL}
	if slices.ContainsFunc(list, func(r treeRoot) bool { return r.Below }) {
		parts = []string{describedSQL, edgesSQL, partitionedSQL, indexedSQL}
	}
	a, err := ask(ctx, server, "", treeSQL, parts, parameter)
	if err != nil {
		return a, err
	}
	if len(a.documents) != 1 {
		return a, fmt.Errorf("cannot read facts: %d answers instead of 1", len(a.documents))
	}
	return a, q.addRelations(a)
}

// addPartitioned adds the keys and partitions of the partitioned tables. It is false if what was answered about the trees does not fit what was answered before:
// then somebody is changing the tables, and nothing is known of them for certain.
func (q *question) addPartitioned(trees answers) (certain bool, err error) {
	if len(trees.documents) == 0 {
		return true, nil
	}
	var a partitionedAnswer
	if err := decodeDocument(trees.documents[0], &a); err != nil {
		return false, err
	}
	defined := map[uint32]bool{}
	for number, oid := range q.names {
		defined[oid] = defined[oid] || q.wanted[number].Definitions
	}
	for oid, r := range q.byOID {
		if r.Kind == "p" && !q.addKey(r, a, defined[oid]) {
			return false, nil
		}
	}
	return true, nil
}

// partitionedAnswer is the row that partitioned.sql gives.
type partitionedAnswer struct {
	Keys []struct {
		OID uint32 `json:"oid"`
		PartitionKey
		Nums     []int  `json:"nums"`
		Mentions []int  `json:"mentions"`
		Default  uint32 `json:"default"`
	} `json:"keys"`
	Partitions []struct {
		OID         uint32       `json:"oid"`
		Bound       string       `json:"bound"`
		ForeignKeys []Constraint `json:"foreign_keys"`
	} `json:"partitions"`
}

// hexJSON is hex of JSON.
func hexJSON(of any) (string, error) {
	text, err := json.Marshal(of)
	if err != nil {
		return "", fmt.Errorf("cannot encode what to read facts of: %w", err)
	}
	return hex.EncodeToString(text), nil
}

// askJSON asks a question of one row about the JSON of what it is given.
func askJSON(ctx context.Context, server Querier, part string, about, into any) error {
	parameter, err := hexJSON(about)
	if err != nil {
		return err
	}
	row, err := askOne(ctx, server, part, parameter)
	if err != nil {
		return err
	}
	return decodeJSON(row, into)
}

// addKey adds the partition key of a table, and its partitions by schema and name.
func (q *question) addKey(r *Relation, a partitionedAnswer, defined bool) (certain bool) {
	defaults := map[uint32]uint32{}
	for _, found := range a.Keys {
		defaults[found.OID] = found.Default
		if found.OID == r.OID {
			key := found.PartitionKey
			key.Columns, key.Mentions = r.names(found.Nums), mentioned(r.names(slices.Concat(found.Nums, found.Mentions)))
			r.Key, r.DefaultPartition = &key, found.Default
		}
	}
	if r.Key == nil {
		return false
	}
	found := map[uint32]int{}
	for i, p := range a.Partitions {
		found[p.OID] = i
	}
	descendants := q.descendants(r.OID)
	if r.DefaultPartition != 0 && !slices.Contains(descendants, r.DefaultPartition) {
		return false
	}
	for _, parent := range append(descendants, r.OID) {
		for _, oid := range q.below[parent] {
			m, at := q.members[oid], -1
			if i, ok := found[oid]; ok {
				at = i
			}
			if m == nil || at < 0 {
				return false
			}
			p := Partition{
				OID: oid, Parent: parent, Schema: m.Schema, Name: m.Name, Kind: m.Kind, Rows: m.Rows, Bytes: m.Bytes,
				Default: defaults[parent] == oid, ForeignKeys: a.Partitions[at].ForeignKeys,
			}
			if defined {
				p.Bound = a.Partitions[at].Bound
			}
			r.Partitions = append(r.Partitions, p)
		}
	}
	slices.SortFunc(r.Partitions, func(a, b Partition) int {
		if order := strings.Compare(a.Schema, b.Schema); order != 0 {
			return order
		}
		return strings.Compare(a.Name, b.Name)
	})
	return true
}

// addDistributed adds which tables have their rows elsewhere by the triggers that they carry. It takes one more question where an extension is installed
// that makes such tables.
func (q *question) addDistributed(ctx context.Context, server Querier) error {
	if len(q.known.Extensions) == 0 || len(q.byOID) == 0 {
		return nil
	}
	var about, distributed []uint32
	for oid := range q.byOID {
		about = append(about, oid)
	}
	if err := askJSON(ctx, server, distributedSQL, about, &distributed); err != nil {
		return err
	}
	for _, oid := range distributed {
		if r := q.byOID[oid]; r != nil {
			r.Foreign = true
		}
	}
	return nil
}
