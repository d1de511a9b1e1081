package facts

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// answer is the row that facts.sql gives.
type answer struct {
	Facts
	Settings map[string]*string `json:"settings"` // nil is one that the server lacks
	Held     []heldAnswer       `json:"held"`
	// Created are the relations that this very transaction made.
	Created []uint32 `json:"created"`
	// Names are the wanted names, by their number. Table is what was found, 0 if nothing; for an index it is the index's table.
	Names []struct {
		Number int    `json:"number"`
		Hidden bool   `json:"hidden"`
		OID    uint32 `json:"oid"`
		Table  uint32 `json:"table"`
	} `json:"names"`
	// Edges lead from a relation to its partitions and inheritance children.
	Edges []struct {
		OID    uint32 `json:"oid"`
		Parent uint32 `json:"parent"`
	} `json:"edges"`
	Members   []member    `json:"members"`
	Relations []*Relation `json:"relations"`
}

type heldAnswer struct {
	OID     uint32   `json:"oid"`
	Modes   []string `json:"modes"`
	Columns []Column `json:"columns"`
}

// member is a relation with its own size; negative is unknown. Estimated is by the last VACUUM or ANALYZE, indexes and TOAST left out.
type member struct {
	OID         uint32  `json:"oid"`
	Schema      string  `json:"schema"`
	Name        string  `json:"name"`
	Kind        string  `json:"kind"`
	Persistence string  `json:"persistence"`
	Rows        float64 `json:"rows"`
	Bytes       int64   `json:"bytes"`
	Empty       bool    `json:"empty"`
	Estimated   int64   `json:"estimated"`
}

// question is what is known while the parts of the answer are put together.
type question struct {
	wanted  []Wanted
	known   Facts
	names   map[int]uint32 // what was found, by the number of the name
	byOID   map[uint32]*Relation
	members map[uint32]*member
	below   map[uint32][]uint32 // partitions and inheritance children, each once

	dependsMore bool // more depends on a relation than depends.sql tells
}

// decode reads what facts.sql answers. The columns, indexes and constraints are added by their own parts.
func decode(row string, wanted []Wanted) (*question, error) {
	var a answer
	if err := decodeJSON(row, &a); err != nil {
		return nil, err
	}
	q := &question{wanted: wanted, known: a.Facts, names: map[int]uint32{}, byOID: make(map[uint32]*Relation, len(a.Relations)),
		members: make(map[uint32]*member, len(a.Members)), below: map[uint32][]uint32{}}
	known := &q.known
	known.Known = true
	known.SearchPath = slices.DeleteFunc(known.SearchPath, func(schema string) bool {
		return schema == "pg_catalog" || strings.HasPrefix(schema, "pg_temp_")
	})
	known.Settings = make(map[string]string, len(a.Settings))
	for name, value := range a.Settings {
		if value != nil {
			known.Settings[name] = *value
		}
	}
	slices.Sort(known.Installed)
	for _, name := range known.Installed {
		if name == "citus" || name == "timescaledb" {
			known.Extensions = append(known.Extensions, name)
		}
	}
	for i := range a.Members {
		q.members[a.Members[i].OID] = &a.Members[i]
	}
	for _, e := range a.Edges {
		if !slices.Contains(q.below[e.Parent], e.OID) {
			q.below[e.Parent] = append(q.below[e.Parent], e.OID)
		}
	}
	known.Held = q.held(a.Held)
	known.HoldsStrong = len(known.Held) > 0
	known.Relations = make(map[string]*Relation, len(wanted))
	for _, r := range a.Relations {
		m := q.members[r.OID]
		if m == nil {
			return nil, fmt.Errorf("cannot decode facts: relation %d is no member", r.OID)
		}
		r.Schema, r.Name, r.Kind, r.Persistence = m.Schema, m.Name, m.Kind, m.Persistence
		r.CreatedHere = slices.Contains(a.Created, r.OID)
		q.measure(r)
		q.byOID[r.OID] = r
		known.Relations[Key(r.Schema, r.Name)] = r
	}
	for _, n := range a.Names {
		if n.Number < 0 || n.Number >= len(wanted) {
			return nil, fmt.Errorf("cannot decode facts: name %d was not asked", n.Number)
		}
		if n.Hidden || wanted[n.Number].Name == (ddl.Name{}) {
			continue // the login may not use the schema: what is in it is unknown
		}
		q.names[n.Number] = n.OID
		q.name(wanted[n.Number], n.OID, n.Table)
	}
	return q, nil
}

// name adds what a name stands for: nothing, a relation, or an index of one.
func (q *question) name(w Wanted, oid, table uint32) {
	relation := q.byOID[table]
	if m := q.members[oid]; oid != table && relation != nil && m != nil {
		relation = &Relation{
			OID: oid, Schema: m.Schema, Name: m.Name, Kind: m.Kind, Persistence: m.Persistence, Owner: relation.Owner, MayAlter: relation.MayAlter,
			Readable: relation.Readable, CreatedHere: relation.CreatedHere, Rows: -1, Bytes: -1, Table: relation,
		}
	}
	if w.Children && relation != nil {
		for _, below := range slices.Sorted(slices.Values(q.descendants(oid))) {
			if child := q.byOID[below]; child != nil {
				relation.Children = append(relation.Children, child)
			}
		}
	}
	q.known.Relations[Key(w.Name.Schema, w.Name.Name)] = relation
}

// descendants are the partitions and inheritance children at all depths, each once.
func (q *question) descendants(oid uint32) []uint32 {
	var all []uint32
	seen := map[uint32]bool{oid: true}
	for next := q.below[oid]; len(next) > 0; {
		var deeper []uint32
		for _, child := range next {
			if !seen[child] {
				seen[child] = true
				all, deeper = append(all, child), append(deeper, q.below[child]...)
			}
		}
		next = deeper
	}
	return all
}

// measure adds up the sizes of a relation and its descendants: one that is unknown makes the whole unknown.
func (q *question) measure(r *Relation) {
	r.Empty = true
	for _, oid := range append(q.descendants(r.OID), r.OID) {
		m := q.members[oid]
		if m == nil {
			continue // dropped just now
		}
		if oid != r.OID {
			r.Descendants++
		}
		r.Foreign = r.Foreign || m.Kind == "f"
		r.Empty = r.Empty && m.Empty && m.Kind != "f"
		if r.Rows >= 0 {
			r.Rows += m.Rows
		}
		if r.Bytes >= 0 {
			r.Bytes += m.Bytes
		}
		if m.Rows < 0 {
			r.Rows = -1
		}
		if m.Bytes < 0 {
			r.Bytes = -1
		}
	}
}

func decodeJSON(row string, into any) error {
	text, err := base64.StdEncoding.DecodeString(row)
	if err != nil {
		return fmt.Errorf("cannot decode facts: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("cannot decode facts: %w", err)
	}
	return nil
}

// strength orders the lock modes that facts.sql asks about.
var strength = map[string]int{
	"ShareUpdateExclusiveLock": 1, "ShareLock": 2, "ShareRowExclusiveLock": 3, "ExclusiveLock": 4, "AccessExclusiveLock": 5,
}

// held leaves out what keeps nobody else waiting: temporary relations, views, and tools' version tables.
func (q *question) held(found []heldAnswer) []Held {
	var all []Held
	slices.SortFunc(found, func(a, b heldAnswer) int { return cmp.Compare(a.OID, b.OID) })
	for _, h := range found {
		looks := Relation{Columns: h.Columns, Bytes: -1}
		if m := q.members[h.OID]; m != nil {
			looks.Schema, looks.Name, looks.Kind, looks.Persistence, looks.Bytes = m.Schema, m.Name, m.Kind, m.Persistence, m.Estimated
		}
		slices.SortFunc(looks.Columns, byNumber)
		if looks.Persistence == "t" || looks.Kind == "v" || looks.Kind == "c" || versionTable(&looks) {
			continue
		}
		strongest := slices.MaxFunc(h.Modes, func(a, b string) int { return cmp.Compare(strength[a], strength[b]) })
		all = append(all, Held{OID: h.OID, Schema: looks.Schema, Name: looks.Name, Mode: strongest})
	}
	return all
}

func byNumber(a, b Column) int { return cmp.Compare(a.Num, b.Num) }

// addColumns adds what columns.sql answers, which the other parts need.
func (q *question) addColumns(row string) error {
	var a struct {
		Columns []struct {
			Relation uint32 `json:"relation"`
			Column
		} `json:"columns"`
	}
	if err := decodeJSON(row, &a); err != nil {
		return err
	}
	for _, c := range a.Columns {
		if r := q.byOID[c.Relation]; r != nil {
			r.Columns = append(r.Columns, c.Column)
		}
	}
	for _, r := range q.byOID {
		slices.SortFunc(r.Columns, byNumber)
		r.VersionTable = versionTable(r)
	}
	return nil
}

// names puts names in the place of numbers.
func (r *Relation) names(nums []int) []string {
	var columns []string
	for _, num := range nums {
		columns = append(columns, r.columnName(num))
	}
	return columns
}

// addIndexes adds what indexes.sql answers. Each part has a snapshot of its own: a column that an index names need not be there any more.
func (q *question) addIndexes(row string) error {
	var a struct {
		Indexes []struct {
			Relation uint32 `json:"relation"`
			Index
			Nums    []int    `json:"nums"` // keys, then INCLUDE; 0 is an expression
			Keys    int      `json:"keys"`
			Within  []int    `json:"within"`
			Sorting []int    `json:"sorting"`
			Class   []uint32 `json:"class"`
			Stored  []uint32 `json:"stored"`
		} `json:"indexes"`
		Classes []Class `json:"classes"`
	}
	if err := decodeJSON(row, &a); err != nil {
		return err
	}
	classes := make(map[uint32]Class, len(a.Classes))
	for _, c := range a.Classes {
		classes[c.OID] = c
	}
	for _, found := range a.Indexes {
		r := q.byOID[found.Relation]
		if r == nil {
			continue
		}
		if found.Keys > len(found.Nums) || found.Keys > len(found.Class) || found.Keys > len(found.Sorting) || found.Keys > len(found.Collations) {
			return fmt.Errorf("cannot decode facts: index %d has %d keys", found.OID, found.Keys)
		}
		i := found.Index
		i.Columns, i.Included = r.names(found.Nums[:found.Keys]), r.names(found.Nums[found.Keys:])
		i.Mentions = mentioned(r.names(slices.Concat(found.Nums, found.Within)))
		i.Plain = !i.Expression && !i.Partial && i.Method == "btree"
		for k, oid := range found.Class {
			class := classes[oid]
			class.OID = oid
			if k < len(found.Stored) {
				class.Stored = found.Stored[k]
			}
			i.Classes = append(i.Classes, class)
		}
		for k := range i.Columns {
			column := r.Column(i.Columns[k])
			i.Plain = i.Plain && column != nil && i.Classes[k].Default && found.Sorting[k] == 0 && i.Collations[k] == column.Collation
		}
		r.Indexes = append(r.Indexes, i)
	}
	for _, r := range q.byOID {
		slices.SortFunc(r.Indexes, func(a, b Index) int { return cmp.Compare(a.Name, b.Name) })
	}
	return nil
}

// addConstraints adds what constraints.sql answers; which index stands behind which constraint, too.
func (q *question) addConstraints(row string) error {
	var a struct {
		Constraints []struct {
			Relation uint32 `json:"relation"`
			Constraint
			Nums []int `json:"nums"`
		} `json:"constraints"`
	}
	if err := decodeJSON(row, &a); err != nil {
		return err
	}
	for _, found := range a.Constraints {
		r := q.byOID[found.Relation]
		if r == nil {
			continue
		}
		k := found.Constraint
		k.Columns = r.names(found.Nums)
		r.Constraints = append(r.Constraints, k)
		if k.Type != "p" && k.Type != "u" && k.Type != "x" {
			continue
		}
		for i := range r.Indexes {
			if r.Indexes[i].OID == k.Index {
				r.Indexes[i].Constraint = k.Name
			}
		}
	}
	for _, r := range q.byOID {
		slices.SortFunc(r.Constraints, func(a, b Constraint) int { return cmp.Compare(a.Name, b.Name) })
	}
	return nil
}

// addTaken adds what taken.sql answers. What a name stands for may have changed since facts.sql was asked: then it says nothing.
func (q *question) addTaken(row string) error {
	var a struct {
		Names []struct {
			Number  int      `json:"number"`
			OID     uint32   `json:"oid"`
			Taken   []string `json:"taken"`
			Sibling *struct {
				Relation
				Table      *Relation `json:"table"`
				Definition string    `json:"definition"`
			} `json:"sibling"`
		} `json:"names"`
	}
	if err := decodeJSON(row, &a); err != nil {
		return err
	}
	for _, n := range a.Names {
		if q.names[n.Number] != n.OID || n.Number < 0 || n.Number >= len(q.wanted) {
			continue
		}
		name := q.wanted[n.Number].Name
		relation := q.known.Relations[Key(name.Schema, name.Name)]
		if relation == nil {
			continue
		}
		relation.Taken = append(relation.Taken, n.Taken...)
		if n.Sibling == nil {
			continue
		}
		sibling := n.Sibling.Relation
		sibling.Table = n.Sibling.Table
		relation.Sibling = &sibling
		for _, r := range q.byOID {
			for i := range r.Indexes {
				if r.Indexes[i].OID == sibling.OID {
					r.Indexes[i].Definition = n.Sibling.Definition
				}
			}
		}
	}
	return nil
}

// addDefinitions adds what definitions.sql answers.
func (q *question) addDefinitions(row string) error {
	type definition struct {
		OID        uint32 `json:"oid"`
		Definition string `json:"definition"`
	}
	var a struct {
		Defaults []struct {
			Relation uint32 `json:"relation"`
			Num      int    `json:"num"`
			Default  string `json:"default"`
			Volatile bool   `json:"volatile"`
		} `json:"defaults"`
		Indexes     []definition `json:"indexes"`
		Constraints []definition `json:"constraints"`
	}
	if err := decodeJSON(row, &a); err != nil {
		return err
	}
	indexes, constraints := map[uint32]string{}, map[uint32]string{}
	for _, d := range a.Indexes {
		indexes[d.OID] = d.Definition
	}
	for _, d := range a.Constraints {
		constraints[d.OID] = d.Definition
	}
	for _, d := range a.Defaults {
		r := q.byOID[d.Relation]
		if r == nil {
			continue
		}
		if column := r.Column(r.columnName(d.Num)); column != nil {
			column.Default, column.DefaultVolatile = d.Default, d.Volatile
		}
	}
	for _, r := range q.byOID {
		for i := range r.Indexes {
			r.Indexes[i].Definition = cmp.Or(indexes[r.Indexes[i].OID], r.Indexes[i].Definition)
		}
		for i := range r.Constraints {
			r.Constraints[i].Definition = constraints[r.Constraints[i].OID]
		}
	}
	return nil
}

// columnName is "" for an expression (0) and for a system column.
func (r *Relation) columnName(num int) string {
	for _, c := range r.Columns {
		if c.Num == num {
			return c.Name
		}
	}
	return ""
}

// mentioned is the names, each once.
func mentioned(names []string) []string {
	var once []string
	for _, name := range names {
		if name != "" && !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}
