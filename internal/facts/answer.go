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
	Held []heldAnswer `json:"held"`
	// Names are the wanted names, by their number. Table is what was found, 0 if nothing; for an index it is the index's table.
	Names []struct {
		Number int    `json:"number"`
		Hidden bool   `json:"hidden"`
		Table  uint32 `json:"table"`
		Relation
		Sibling *struct {
			Relation
			Table *Relation `json:"table"`
		} `json:"sibling"`
		Taken    []string `json:"taken"`
		Children []uint32 `json:"children"`
	} `json:"names"`
	Relations []relationAnswer `json:"relations"`
}

type heldAnswer struct {
	Relation
	Modes []string `json:"modes"`
}

// relationAnswer is a relation whose columns are told by number.
type relationAnswer struct {
	Relation
	Indexes []struct {
		Index
		Nums    []int `json:"nums"` // keys, then INCLUDE; 0 is an expression
		Keys    int   `json:"keys"`
		Within  []int `json:"within"`
		Sorting []int `json:"sorting"`
	} `json:"indexes"`
	Constraints []struct {
		Constraint
		Nums []int `json:"nums"`
	} `json:"constraints"`
	Key *struct {
		PartitionKey
		Nums     []int  `json:"nums"`
		Mentions []int  `json:"mentions"`
		Default  uint32 `json:"default"`
	} `json:"key"`
}

func decode(row string, wanted []Wanted) (Facts, error) {
	var a answer
	if err := decodeJSON(row, &a); err != nil {
		return Facts{}, err
	}
	known := a.Facts
	known.Known = true
	known.SearchPath = slices.DeleteFunc(known.SearchPath, func(schema string) bool {
		return schema == "pg_catalog" || strings.HasPrefix(schema, "pg_temp_")
	})
	known.Held = held(a.Held)
	known.HoldsStrong = len(known.Held) > 0
	known.Relations = make(map[string]*Relation, len(wanted))

	byOID := make(map[uint32]*Relation, len(a.Relations))
	for _, found := range a.Relations {
		r := found.relation()
		r.VersionTable = versionTable(r)
		byOID[r.OID] = r
		known.Relations[Key(r.Schema, r.Name)] = r
	}
	for _, n := range a.Names {
		if n.Number < 0 || n.Number >= len(wanted) {
			return Facts{}, fmt.Errorf("cannot decode facts: name %d was not asked", n.Number)
		}
		if n.Hidden || wanted[n.Number].Name == (ddl.Name{}) {
			continue // the login may not use the schema: what is in it is unknown
		}
		relation := byOID[n.Table]
		if n.OID != n.Table && relation != nil {
			index := n.Relation
			index.Owner, index.MayAlter, index.Readable, index.CreatedHere = relation.Owner, relation.MayAlter, relation.Readable, relation.CreatedHere
			index.Rows, index.Bytes, index.Table = -1, -1, relation
			relation = &index
		}
		for _, oid := range n.Children {
			if child := byOID[oid]; relation != nil && child != nil {
				relation.Children = append(relation.Children, child)
			}
		}
		if relation != nil {
			relation.Taken = append(relation.Taken, n.Taken...)
		}
		if relation != nil && n.Sibling != nil {
			sibling := n.Sibling.Relation
			sibling.Table = n.Sibling.Table
			relation.Sibling = &sibling
		}
		known.Relations[Key(wanted[n.Number].Name.Schema, wanted[n.Number].Name.Name)] = relation
	}
	return known, nil
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

// held leaves out tools' version tables.
func held(found []heldAnswer) []Held {
	var all []Held
	for _, h := range found {
		if !versionTable(&h.Relation) {
			strongest := slices.MaxFunc(h.Modes, func(a, b string) int { return cmp.Compare(strength[a], strength[b]) })
			all = append(all, Held{OID: h.OID, Schema: h.Schema, Name: h.Name, Mode: strongest})
		}
	}
	return all
}

// relation puts names in the place of numbers.
func (a *relationAnswer) relation() *Relation {
	r := &a.Relation
	names := func(nums []int) []string {
		var columns []string
		for _, num := range nums {
			columns = append(columns, r.columnName(num))
		}
		return columns
	}
	for _, found := range a.Indexes {
		i := found.Index
		i.Columns, i.Included = names(found.Nums[:found.Keys]), names(found.Nums[found.Keys:])
		i.Mentions = mentioned(names(slices.Concat(found.Nums, found.Within)))
		i.Plain = !i.Expression && !i.Partial && i.Method == "btree"
		for k := range i.Columns {
			column := r.Column(i.Columns[k])
			i.Plain = i.Plain && column != nil && i.Classes[k].Default && found.Sorting[k] == 0 && i.Collations[k] == column.Collation
		}
		r.Indexes = append(r.Indexes, i)
	}
	for _, found := range a.Constraints {
		k := found.Constraint
		k.Columns = names(found.Nums)
		r.Constraints = append(r.Constraints, k)
	}
	if a.Key != nil {
		key := a.Key.PartitionKey
		key.Columns, key.Mentions = names(a.Key.Nums), mentioned(names(slices.Concat(a.Key.Nums, a.Key.Mentions)))
		r.Key, r.DefaultPartition = &key, a.Key.Default
	}
	return r
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

// addNames adds what names.sql answers.
func (f *Facts) addNames(row string) error {
	var a struct {
		Asked []struct {
			Schema string `json:"schema"`
			Name   string `json:"name"`
			Array  bool   `json:"array"`
			OID    uint32 `json:"oid"`
		} `json:"asked"`
		Types     []*Type `json:"types"`
		Casts     []Cast  `json:"casts"`
		Functions []struct {
			Schema string `json:"schema"`
			Name   string `json:"name"`
			Function
		} `json:"functions"`
		Collations []struct {
			Schema string `json:"schema"`
			Name   string `json:"name"`
			OID    uint32 `json:"oid"`
		} `json:"collations"`
		UTC bool `json:"utc"`
	}
	if err := decodeJSON(row, &a); err != nil {
		return err
	}
	f.UTC, f.Collations = a.UTC, make(map[string]uint32, len(a.Collations))
	for _, c := range a.Collations {
		f.Collations[Key(c.Schema, c.Name)] = c.OID
	}
	f.Casts, f.Types, f.Functions = a.Casts, make(map[string]*Type, len(a.Types)), make(map[string]Function, len(a.Functions))
	byOID := make(map[uint32]*Type, len(a.Types))
	for _, t := range a.Types {
		byOID[t.OID] = t
		f.Types[TypeKey(t.Schema, t.Name, false)] = t
	}
	for _, n := range a.Asked {
		f.Types[TypeKey(n.Schema, n.Name, n.Array)] = byOID[n.OID]
	}
	for _, n := range a.Functions {
		f.Functions[Key(n.Schema, n.Name)] = n.Function
	}
	return nil
}

// triggerEvents are the bits of pg_trigger.tgtype that stand for an event; the first bit is FOR EACH ROW.
var triggerEvents = []struct {
	bit    int
	letter string
}{{1 << 2, "i"}, {1 << 3, "d"}, {1 << 4, "u"}, {1 << 5, "t"}}

// addDependents adds what dependents.sql answers.
func (f *Facts) addDependents(row string, wanted []Wanted) error {
	var a struct {
		Relations []struct {
			OID uint32 `json:"oid"`
			Depends
			Triggers []struct {
				Trigger
				Bits int `json:"bits"`
			} `json:"triggers"`
		} `json:"relations"`
		Types []struct {
			OID   uint32     `json:"oid"`
			Users []TypeUser `json:"users"`
		} `json:"types"`
		Functions []struct {
			Schema  string  `json:"schema"`
			Name    string  `json:"name"`
			Routine Routine `json:"routine"`
		} `json:"functions"`
		Schemas []*Schema `json:"schemas"`
	}
	if err := decodeJSON(row, &a); err != nil {
		return err
	}
	for _, found := range a.Relations {
		depends := found.Depends
		for _, t := range found.Triggers {
			t.Row = t.Bits&1 != 0
			for _, event := range triggerEvents {
				if t.Bits&event.bit != 0 {
					t.Events += event.letter
				}
			}
			depends.Triggers = append(depends.Triggers, t.Trigger)
		}
		for _, r := range f.Relations {
			if r != nil && r.OID == found.OID {
				r.Depends = &depends
			}
		}
	}
	for _, found := range a.Types {
		for _, t := range f.Types {
			if t != nil && t.OID == found.OID {
				t.Users = found.Users
			}
		}
	}
	for _, found := range a.Functions {
		key := Key(found.Schema, found.Name)
		function := f.Functions[key]
		function.Routines = append(function.Routines, found.Routine)
		f.Functions[key] = function
	}
	f.Schemas = map[string]*Schema{}
	for _, w := range wanted {
		for _, name := range w.Schemas {
			f.Schemas[name] = nil
		}
	}
	for _, s := range a.Schemas {
		f.Schemas[s.Name] = s
	}
	return nil
}
