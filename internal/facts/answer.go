package facts

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// member is a relation with its own size; negative is unknown.
type member struct {
	OID         uint32
	Schema      string
	Name        string
	Kind        string
	Persistence string
	Rows        float64
	Bytes       int64
	Empty       bool
	// Rooted is true when it has, or had, partitions or inheritance children.
	Rooted bool
}

// question is what is known while the parts of the answer are put together.
type question struct {
	wanted  []Wanted
	known   Facts
	names   map[int]uint32 // what was found, by the number of the name
	tables  map[int]uint32 // and for an index its table
	byOID   map[uint32]*Relation
	members map[uint32]*member
	below   map[uint32][]uint32 // partitions and inheritance children, each once
	block   float64             // block_size

	seen    map[uint32]*Relation        // what relations.sql has told of each
	lists   map[uint32]map[int][]string // the access control lists of relations (0) and of their columns
	created []uint32                    // the relations that this very transaction made, those that it has locked
}

func newQuestion(wanted []Wanted) *question {
	return &question{wanted: wanted, known: Facts{Known: true, Standbys: -1, Relations: make(map[string]*Relation, len(wanted))},
		names: map[int]uint32{}, tables: map[int]uint32{}, byOID: map[uint32]*Relation{}, members: map[uint32]*member{}, below: map[uint32][]uint32{},
		seen: map[uint32]*Relation{}, lists: map[uint32]map[int][]string{}}
}

// addFound adds what the names stand for, the session, and the relations.
func (q *question) addFound(a answers) error {
	if err := q.addNames(a.about); err != nil {
		return err
	}
	if len(a.rows["session"]) != 1 {
		return fmt.Errorf("cannot decode facts: %d sessions", len(a.rows["session"]))
	}
	if err := q.addSession(a.rows["session"][0]); err != nil {
		return err
	}
	return q.addRelations(a)
}

// addNames adds what resolve.sql has found for each name. What is in a schema that the login may not use is unknown.
func (q *question) addNames(about []string) error {
	if len(about) != 11 {
		return fmt.Errorf("cannot decode facts: %d words about the names", len(about))
	}
	numbers, err := parseNumbers(about[5])
	if err != nil {
		return fmt.Errorf("cannot decode facts: %w", err)
	}
	hidden := strings.Split(strings.Trim(about[6], "{}"), ",")
	oids, err := parseNumbers(about[7])
	if err != nil {
		return fmt.Errorf("cannot decode facts: %w", err)
	}
	tables, err := parseNumbers(about[8])
	if err != nil {
		return fmt.Errorf("cannot decode facts: %w", err)
	}
	if len(numbers) > 0 && len(numbers) != len(hidden) || len(numbers) != len(oids) || len(numbers) != len(tables) {
		return errors.New("cannot decode facts: the names are not of one number")
	}
	for i, number := range as[int](numbers) {
		if number < 0 || number >= len(q.wanted) {
			return fmt.Errorf("cannot decode facts: name %d was not asked", number)
		}
		if hidden[i] != "t" && q.wanted[number].Name != (ddl.Name{}) {
			q.names[number] = uint32(oids[i])
			q.tables[number] = cmp.Or(uint32(tables[i]), uint32(oids[i]))
		}
	}
	return nil
}

// sessionSettings are the settings at the end of the row of session.sql.
func sessionSettings() []string {
	return []string{
		"lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout", "deadlock_timeout", "client_connection_check_interval",
		"client_encoding", "client_min_messages", "default_transaction_read_only", "role", "search_path", "standard_conforming_strings", "DateStyle", "IntervalStyle",
		"TimeZone", "default_tablespace", "default_table_access_method", "application_name", "pgsluice.allow", "pgsluice.revision", "pgsluice.actor",
	}
}

// addSession adds the row of session.sql.
func (q *question) addSession(r *row) error {
	known := &q.known
	known.Version = int(r.integer(0))
	known.Standby = r.truth()
	known.Database = r.text()
	known.DatabaseOID = r.oid()
	known.Tablespace = r.text()
	known.SessionUser = r.text()
	known.CurrentUser = r.text()
	known.SearchPath = slices.DeleteFunc(r.texts(), func(schema string) bool {
		return schema == "pg_catalog" || strings.HasPrefix(schema, "pg_temp_")
	})
	known.Isolation = r.text()
	known.MayProbe = r.truth()
	known.Installed = r.texts()
	q.block = r.float()
	known.PID = int(r.integer(0))
	known.Settings = map[string]string{}
	for _, name := range sessionSettings() {
		if value := r.next(); !value.null { // or the server lacks it
			known.Settings[name] = value.text
		}
	}
	slices.Sort(known.Installed)
	for _, name := range known.Installed {
		if name == "citus" || name == "timescaledb" {
			known.Extensions = append(known.Extensions, name)
		}
	}
	return r.end()
}

// addRelations adds the rows of relations.sql.
func (q *question) addRelations(a answers) error {
	for _, r := range a.rows["relation"] {
		if err := q.addRelation(r); err != nil {
			return err
		}
	}
	return nil
}

func (q *question) addRelation(r *row) error {
	m := &member{OID: r.oid(), Schema: r.schema(), Name: r.text(), Kind: r.text(), Persistence: r.text()}
	main := r.integer(-1)
	m.Bytes, m.Empty = r.integer(-1), main == 0
	pages, tuples := r.float(), r.float()
	switch {
	case main == 0:
	case main > 0 && pages > 0 && tuples > 0 && q.block > 0:
		m.Rows = math.Ceil(tuples / pages * (float64(main) / q.block))
	default:
		m.Rows = -1
	}
	m.Rooted = r.truth()
	described := r.truth()
	relation := &Relation{
		OID: m.OID, Schema: m.Schema, Name: m.Name, Kind: m.Kind, Persistence: m.Persistence, Owner: r.text(), MayAlter: r.truth(), Readable: r.truth(),
		PartitionOf: r.oid(), Bound: r.text(), AccessMethod: r.method(), Tablespace: r.text(), Options: r.texts(), Populated: r.truth(),
		RowSecurity: r.truth(), ForceRowSecurity: r.truth(), ReplicaIdentity: r.text(), OfType: r.oid(),
	}
	q.addList(m.OID, 0, r.texts())
	q.seen[m.OID] = relation
	if q.members[m.OID] == nil {
		q.members[m.OID] = m
	}
	if described && q.byOID[m.OID] == nil {
		q.byOID[m.OID] = relation
	}
	return r.end()
}

// addList adds an access control list.
func (q *question) addList(oid uint32, column int, list []string) {
	if list == nil {
		return
	}
	if q.lists[oid] == nil {
		q.lists[oid] = map[int][]string{}
	}
	q.lists[oid][column] = list
}

// addEdges adds the rows of edges.sql.
func (q *question) addEdges(rows []*row) error {
	for _, r := range rows {
		child, parent := r.oid(), r.oid()
		if err := r.end(); err != nil {
			return err
		}
		if !slices.Contains(q.below[parent], child) {
			q.below[parent] = append(q.below[parent], child)
		}
	}
	return nil
}

// describe adds what is known of the relations themselves, and what the names stand for.
func (q *question) describe(first, trees answers) error {
	if err := q.addEdges(trees.rows["edge"]); err != nil {
		return err
	}
	for _, r := range q.byOID {
		q.measure(r)
		q.known.Relations[Key(r.Schema, r.Name)] = r
	}
	for number, w := range q.wanted {
		if oid, ok := q.names[number]; ok {
			q.name(w, oid, q.tables[number])
		}
	}
	for _, a := range []answers{first, trees} {
		if err := q.addColumns(a.rows["column"]); err != nil {
			return err
		}
	}
	for _, r := range q.byOID {
		slices.SortFunc(r.Columns, byNumber)
		r.VersionTable = versionTable(r)
	}
	if err := q.addDefaults(first.rows["default"]); err != nil {
		return err
	}
	for _, a := range []answers{first, trees} {
		if err := q.addIndexes(a.rows["index"]); err != nil {
			return err
		}
		if err := q.addConstraints(a.rows["constraint"]); err != nil {
			return err
		}
	}
	for _, r := range q.byOID {
		slices.SortFunc(r.Indexes, func(a, b Index) int { return cmp.Compare(a.Name, b.Name) })
		slices.SortFunc(r.Constraints, func(a, b Constraint) int { return cmp.Compare(a.Name, b.Name) })
	}
	if err := q.addTaken(first.rows["taken"]); err != nil {
		return err
	}
	if err := q.addWriters(first.rows["writer"]); err != nil {
		return err
	}
	return q.addSiblings(first.rows["sibling"])
}

// name adds what a name stands for: nothing, a relation, or an index of one. Where it stands for something else by now, or for nothing any more, that is unknown.
func (q *question) name(w Wanted, oid, table uint32) {
	if m := q.members[oid]; oid != 0 && (m == nil || m.Name != w.Name.Name || q.byOID[table] == nil) {
		return
	}
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
		if m == nil { // it is dropped, or has come, just now
			m = &member{Rows: -1, Bytes: -1}
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

// decodeJSON reads the one row of a question that answers with JSON.
func decodeJSON(answer string, into any) error {
	document, err := decodeBase64(answer)
	if err != nil {
		return err
	}
	return decodeDocument(document, into)
}

func decodeDocument(document []byte, into any) error {
	if err := json.Unmarshal(document, into); err != nil {
		return fmt.Errorf("cannot decode facts: %w", err)
	}
	return nil
}

// strength orders the lock modes that transaction.sql asks about.
var strength = map[string]int{
	"ShareUpdateExclusiveLock": 1, "ShareLock": 2, "ShareRowExclusiveLock": 3, "ExclusiveLock": 4, "AccessExclusiveLock": 5,
}

// addTransaction adds what transaction.sql answers.
func (q *question) addTransaction(document []byte) error {
	var a struct {
		Standbys int          `json:"standbys"`
		Held     []heldAnswer `json:"held"`
		// Created are the relations that this very transaction made.
		Created []uint32 `json:"created"`
	}
	if err := decodeDocument(document, &a); err != nil {
		return err
	}
	q.known.Standbys, q.created = a.Standbys, a.Created
	q.known.Held = held(a.Held)
	q.known.HoldsStrong = len(q.known.Held) > 0
	for _, r := range q.known.Relations {
		switch {
		case r == nil:
		case r.Table != nil:
			r.CreatedHere = slices.Contains(a.Created, r.Table.OID)
		default:
			r.CreatedHere = slices.Contains(a.Created, r.OID)
		}
	}
	for _, r := range q.byOID {
		r.CreatedHere = slices.Contains(a.Created, r.OID)
		r.Adopted = r.CreatedHere && slices.ContainsFunc(q.descendants(r.OID), func(oid uint32) bool { return !slices.Contains(a.Created, oid) })
	}
	return nil
}

// heldAnswer is a relation that the transaction holds strongly. Estimated is its size by the last VACUUM or ANALYZE, indexes and TOAST left out.
type heldAnswer struct {
	OID         uint32   `json:"oid"`
	Schema      string   `json:"schema"`
	Name        string   `json:"name"`
	Kind        string   `json:"kind"`
	Persistence string   `json:"persistence"`
	Modes       []string `json:"modes"`
	Columns     []Column `json:"columns"`
	Estimated   int64    `json:"estimated"`
}

// held leaves out what keeps nobody else waiting: temporary relations, views, and tools' version tables.
func held(found []heldAnswer) []Held {
	var all []Held
	slices.SortFunc(found, func(a, b heldAnswer) int { return cmp.Compare(a.OID, b.OID) })
	for _, h := range found {
		looks := Relation{Schema: h.Schema, Name: h.Name, Kind: h.Kind, Persistence: h.Persistence, Columns: h.Columns, Bytes: h.Estimated}
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

// addColumns adds the rows of columns.sql, which the other parts need.
func (q *question) addColumns(rows []*row) error {
	for _, r := range rows {
		relation := r.oid()
		c := Column{
			Num: int(r.integer(0)), Name: r.text(), Type: r.text(), NotNull: r.truth(), TypeOID: r.oid(), TypeSchema: r.schema(), TypeName: r.text(),
			TypeMod: int(r.integer(-1)), Collation: r.oid(), Identity: r.text(), Generated: r.text(), Storage: r.text(), HasDefault: r.truth(), Inherited: r.truth(),
		}
		if name, ok := plainTypes[c.TypeOID]; ok {
			c.TypeSchema, c.TypeName = "pg_catalog", name
		}
		q.addList(relation, c.Num, r.texts())
		if err := r.end(); err != nil {
			return err
		}
		if known := q.byOID[relation]; known != nil && known.columnName(c.Num) == "" {
			known.Columns = append(known.Columns, c)
		}
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

// addIndexes adds the rows of indexes.sql. Each part has a snapshot of its own: a column that an index names need not be there any more.
func (q *question) addIndexes(rows []*row) error {
	for _, r := range rows {
		relation := r.oid()
		i := Index{
			OID: r.oid(), Name: r.text(), Kind: r.text(), Method: r.method(), Valid: r.truth(), Ready: r.truth(), Unique: r.truth(), Primary: r.truth(),
			Partial: r.truth(), NullsNotDistinct: r.truth(),
		}
		nums, keys, within := r.ints(), int(r.integer(0)), r.ints() // of nums the keys come first, then INCLUDE; 0 is an expression
		i.Expression = r.truth()
		found, classes, stored := r.oids(), classes(r.numbers()), r.oids()
		i.Collations = r.oids()
		sorting := r.ints()
		i.Deferrable, i.Clustered, i.ReplicaIdentity, i.exclusion = !r.truth(), r.truth(), r.truth(), r.truth()
		i.Bytes, i.Parent, i.Definition = int64(r.float()*q.block), r.oid(), r.text()
		if err := r.end(); err != nil {
			return err
		}
		if keys > len(nums) || keys != len(found) || keys > len(sorting) || keys > len(i.Collations) {
			return fmt.Errorf("cannot decode facts: index %d has %d keys", i.OID, keys)
		}
		table := q.byOID[relation]
		if table == nil || slices.ContainsFunc(table.Indexes, func(known Index) bool { return known.OID == i.OID }) {
			continue
		}
		i.Columns, i.Included = table.names(nums[:keys]), table.names(nums[keys:])
		i.Mentions = mentioned(table.names(slices.Concat(nums, within)))
		i.Plain = !i.Expression && !i.Partial && i.Method == "btree"
		for k, oid := range found {
			class, asked := classes[oid]
			class.OID = oid
			switch column := table.Column(table.columnName(nums[k])); {
			case asked && k < len(stored):
				class.Stored = stored[k]
			case slices.Contains(plainClasses, oid):
				class.Default = true
				if column != nil {
					class.Stored = column.TypeOID
				}
			}
			i.Classes = append(i.Classes, class)
		}
		for k := range i.Columns {
			column := table.Column(i.Columns[k])
			i.Plain = i.Plain && column != nil && i.Classes[k].Default && sorting[k] == 0 && i.Collations[k] == column.Collation
		}
		table.Indexes = append(table.Indexes, i)
	}
	return nil
}

// classes are operator classes by OID, each a number of indexes.sql.
func classes(numbers []int64) map[uint32]Class {
	classes := make(map[uint32]Class, len(numbers))
	for _, n := range numbers {
		classes[uint32(n/4)] = Class{Default: n&2 != 0, Polymorphic: n&1 != 0}
	}
	return classes
}

// addConstraints adds the rows of constraints.sql; which index stands behind which constraint, too.
func (q *question) addConstraints(rows []*row) error {
	for _, r := range rows {
		relation := r.oid()
		k := Constraint{OID: r.oid(), Name: r.text(), Type: r.text(), Validated: r.truth()}
		nums := r.ints()
		k.Deferrable, k.Deferred, k.NoInherit, k.Local, k.Inherited, k.Enforced = r.truth(), r.truth(), r.truth(), r.truth(), r.truth(), r.truth()
		k.Index, k.Parent = r.oid(), r.oid()
		parents := r.ints()
		k.ParentSchema, k.ParentName, k.ParentColumns, k.Definition = r.schema(), r.text(), r.texts(), r.text()
		if err := r.end(); err != nil {
			return err
		}
		table := q.byOID[relation]
		if table == nil || slices.ContainsFunc(table.Constraints, func(known Constraint) bool { return known.OID == k.OID }) {
			continue
		}
		k.Columns = table.names(nums)
		if parent := q.byOID[k.Parent]; parent != nil {
			k.ParentSchema, k.ParentName, k.ParentColumns = parent.Schema, parent.Name, parent.names(parents)
		}
		table.Constraints = append(table.Constraints, k)
		if k.Type != "p" && k.Type != "u" && k.Type != "x" {
			continue
		}
		for i := range table.Indexes {
			if table.Indexes[i].OID == k.Index {
				table.Indexes[i].Constraint = k.Name
			}
		}
	}
	return nil
}

// meant is the relation that a name stood for when it was resolved, nil if it stands for something else by now.
func (q *question) meant(number int, oid uint32) *Relation {
	if oid == 0 || number < 0 || number >= len(q.wanted) || q.names[number] != oid {
		return nil
	}
	name := q.wanted[number].Name
	return q.known.Relations[Key(name.Schema, name.Name)]
}

// addTaken adds the rows of taken.sql.
func (q *question) addTaken(rows []*row) error {
	for _, r := range rows {
		relation, name := q.meant(int(r.integer(-1)), r.oid()), r.text()
		if err := r.end(); err != nil {
			return err
		}
		if relation != nil {
			relation.Taken = append(relation.Taken, name)
		}
	}
	return nil
}

// addSiblings adds the rows of sibling.sql.
func (q *question) addSiblings(rows []*row) error {
	for _, r := range rows {
		relation := q.meant(int(r.integer(-1)), r.oid())
		sibling := &Relation{OID: r.oid(), Schema: r.schema(), Name: r.text(), Kind: r.text(), Persistence: r.text(), Owner: r.text(), MayAlter: r.truth()}
		definition := r.text()
		if table := (Relation{OID: r.oid(), Schema: sibling.Schema, Name: r.text(), Kind: r.text()}); table.OID != 0 {
			sibling.Table = &table
		}
		if err := r.end(); err != nil {
			return err
		}
		if relation == nil {
			continue
		}
		relation.Sibling = sibling
		for _, other := range q.byOID {
			for i := range other.Indexes {
				if other.Indexes[i].OID == sibling.OID {
					other.Indexes[i].Definition = cmp.Or(definition, other.Indexes[i].Definition)
				}
			}
		}
	}
	return nil
}

// addDefaults adds the rows of defaults.sql.
func (q *question) addDefaults(rows []*row) error {
	for _, r := range rows {
		relation, num, text, volatile := r.oid(), int(r.integer(0)), r.text(), r.truth()
		if err := r.end(); err != nil {
			return err
		}
		table := q.byOID[relation]
		if table == nil {
			continue
		}
		if column := table.Column(table.columnName(num)); column != nil {
			column.Default, column.DefaultVolatile = text, volatile
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
