package lint

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// world is what the files themselves have made, up to the statement at hand. What they make is new to everybody else, whatever the
// database at hand may hold: nobody uses it yet.
type world struct {
	// objects are what was made or dropped, by Key of schema and name: nil for what is gone.
	objects map[string]*object
	// made are the names of all that the files have made, whether it is still new or not, by identity.
	made map[string]bool
	// domains are those that the files have made, by identity.
	domains map[string]domain
	// renamed are objects of before, under their new names.
	renamed map[string]ddl.Name
	undo    []func() // what takes back the changes of the open transaction, in the order in which they were made
	after   []func() // what takes back SET LOCAL when the transaction ends
	filled  []string // keys of what was filled in the open transaction

	inTx       bool
	begun      bool // by a BEGIN, or by the tool; else several statements of one message are the transaction
	managed    bool // by the tool
	savepoints []savepoint
	held       []facts.Held // what others may use that the open transaction holds a strong lock on
	count      int          // of objects so far: their identities
	searchPath []string
	settings   map[string]string
}

type object struct {
	facts.Relation
	file int // the file that made it
	// filled is true once it may hold many rows: it is new only until its transaction ends.
	filled bool
	// parents are the identities of those that it is a partition or a child of, as far as the files have made them, too.
	parents []uint32
	// adopted are those below it that others use, by key.
	adopted map[string]adopted
}

// adopted is the size of something that is below an object; -1 is unknown.
type adopted struct {
	rows  float64
	bytes int64
}

type savepoint struct {
	name string
	mark int // of undo
}

func newWorld() *world {
	return &world{objects: map[string]*object{}, made: map[string]bool{}, domains: map[string]domain{}, renamed: map[string]ddl.Name{}, settings: map[string]string{}}
}

// connect begins a session: nothing is set in it yet.
func (w *world) connect() { w.settings, w.searchPath = map[string]string{}, nil }

// begin opens a transaction, if none is open.
func (w *world) begin() {
	if !w.inTx {
		w.inTx, w.undo, w.savepoints = true, nil, nil
	}
}

// commit ends the open transaction. What it filled others can use from now on, and nobody knows how large it is.
func (w *world) commit() {
	for _, restore := range slices.Backward(w.after) {
		restore()
	}
	for _, key := range w.filled {
		if o := w.objects[key]; o != nil && o.filled {
			delete(w.objects, key)
		}
	}
	w.undo, w.after, w.filled, w.savepoints, w.inTx, w.begun, w.managed, w.held = nil, nil, nil, nil, false, false, false, nil
}

func (w *world) rollback() {
	w.rollbackTo(0)
	w.after = nil
	w.commit()
}

func (w *world) rollbackTo(mark int) {
	for len(w.undo) > mark {
		last := len(w.undo) - 1
		w.undo[last]()
		w.undo = w.undo[:last]
	}
}

// set changes a map so that a rollback takes it back. remove takes the key out.
func set[V any](w *world, in map[string]V, key string, value V, remove bool) {
	before, was := in[key]
	w.undo = append(w.undo, func() {
		if was {
			in[key] = before
		} else {
			delete(in, key)
		}
	})
	if remove {
		delete(in, key)
	} else {
		in[key] = value
	}
	if !w.inTx {
		w.undo = nil
	}
}

// key is the name by which an object is known here. Only the first schema of the search path counts: that is where things are made.
func (w *world) key(name ddl.Name) string {
	switch {
	case name.Schema != "":
		return facts.Key(name.Schema, name.Name)
	case w.objects[facts.Key("pg_temp", name.Name)] != nil:
		return facts.Key("pg_temp", name.Name)
	}
	return facts.Key(w.schema(), name.Name)
}

func (w *world) schema() string {
	if len(w.searchPath) > 0 {
		return w.searchPath[0]
	}
	return "public"
}

// follow takes in what a statement does. before is what a name is known to be of, nil for nothing.
func (w *world) follow(s ddl.Statement, file int, before func(ddl.Name) *facts.Relation) {
	switch action := s.Action.(type) {
	case ddl.Transaction:
		w.transaction(action)
		return
	case ddl.Setting:
		w.setting(action)
		return
	case ddl.Query:
		for _, setting := range ddl.SetConfigs(s) {
			w.setting(setting)
		}
	}
	w.take(s, file, before)
	for _, ref := range s.Refs {
		if w.inTx && ref.Lock > ddl.RowExclusive && w.objects[w.key(ref.Name)] == nil {
			w.hold(ref, before(ref.Name))
		}
	}
}

// hold takes note of a strong lock, with what is known of the relation; an index stands for its table. Nobody waits long for a view or a type.
func (w *world) hold(ref ddl.Ref, r *facts.Relation) {
	if ref.Kind == "VIEW" || ref.Kind == "TYPE" {
		return
	}
	held := facts.Held{Schema: ref.Name.Schema, Name: ref.Name.Name, Mode: ref.Lock.String()}
	if r != nil && r.Table != nil {
		r = r.Table
	}
	if r != nil {
		if r.VersionTable || r.Persistence == "t" {
			return
		}
		held.OID, held.Schema, held.Name = r.OID, r.Schema, r.Name
	}
	if !slices.Contains(w.held, held) {
		w.held = append(w.held[:len(w.held):len(w.held)], held) // statements before have the list as it was
	}
}

// take takes in what a statement makes, moves, fills and drops, and what runs within it. A drop that may be skipped counts for none.
func (w *world) take(s ddl.Statement, file int, before func(ddl.Name) *facts.Relation) {
	for _, inner := range s.Inner {
		if _, drops := inner.Action.(ddl.Drop); !inner.Later && !(drops && inner.Maybe) {
			w.take(inner.Statement, file, before)
		}
	}
	switch action := s.Action.(type) {
	case ddl.CreateTable:
		name := action.Table
		temporary := action.Temp || name.Schema == "pg_temp"
		if temporary {
			name.Schema = "pg_temp" // a lasting one of that name is another
		}
		o, here := w.objects[w.key(name)]
		if s.Tag == "CREATE FOREIGN TABLE" || o != nil || !here && !temporary && before(name) != nil {
			break // what is there already is not new: the file was applied before, or has IF NOT EXISTS
		}
		w.make(action.Table, "r", action.Temp, action.As, file)
		for _, column := range action.Columns {
			w.keys(action.Table, column.Constraints)
		}
		w.keys(action.Table, action.Constraints)
		if action.PartitionOf.Name != "" {
			w.under(action.Table, action.PartitionOf)
		}
	case ddl.Query:
		if action.Into.Name != "" {
			w.make(action.Into, "r", action.Temp, true, file)
		}
	case ddl.CreateIndex:
		w.index(action.Table, action.Name)
	case ddl.Utility:
		w.utility(s, action, file)
	case ddl.AlterTable:
		w.alter(action)
		for _, command := range action.Commands {
			switch command.Op {
			case "AddInherit":
				w.under(action.Table, command.Relation)
				w.adopt(command.Relation, action.Table, before)
			case "AttachPartition":
				w.under(command.Relation, action.Table)
				w.adopt(action.Table, command.Relation, before)
			case "DropInherit":
				w.release(command.Relation, action.Table)
			case "DetachPartition":
				w.release(action.Table, command.Relation)
			}
		}
	case ddl.Drop:
		w.drop(action)
	case ddl.Write:
		w.write(s, action)
	}
}

// identity is the name of an object among those of its kind. Relations have one name space, types another.
func (w *world) identity(kind ddl.ObjectKind, name ddl.Name) string {
	switch kind {
	case "TABLE", "INDEX", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE":
		return w.key(name)
	case "DOMAIN":
		kind = "TYPE"
	case "SCHEMA", "DATABASE", "ROLE":
		return string(kind) + " " + name.Name
	}
	return string(kind) + " " + w.key(name)
}

// own reports whether the files have made all that a statement drops, alters or empties.
func (w *world) own(s ddl.Statement) bool {
	var all []string
	switch action := s.Action.(type) {
	case ddl.Drop:
		for _, name := range action.Names {
			all = append(all, w.identity(action.Object, name))
		}
	case ddl.AlterTable:
		all = append(all, w.identity(action.Object, action.Table))
	case ddl.Utility:
		for _, ref := range s.Refs {
			if ref.Written {
				all = append(all, w.key(ref.Name))
			}
		}
	}
	return len(all) > 0 && !slices.ContainsFunc(all, func(identity string) bool { return !w.made[identity] })
}

func (w *world) transaction(t ddl.Transaction) {
	switch t.Op {
	case ddl.Begin:
		w.begin()
		w.begun = true
	case ddl.Commit, ddl.Prepare:
		w.commit()
	case ddl.Rollback:
		w.rollback()
	case ddl.Savepoint:
		w.savepoints = append(w.savepoints, savepoint{t.Name, len(w.undo)})
	case ddl.RollbackTo:
		for i := len(w.savepoints) - 1; i >= 0; i-- {
			if w.savepoints[i].name == t.Name {
				w.rollbackTo(w.savepoints[i].mark)
				w.savepoints = w.savepoints[:i+1]
				break
			}
		}
	}
	if t.Chain && (t.Op == ddl.Commit || t.Op == ddl.Rollback) {
		w.begin()
		w.begun = true
	}
}

func (w *world) setting(s ddl.Setting) {
	switch s.Op {
	case ddl.ResetAll, ddl.DiscardAll:
		w.settings, w.searchPath = map[string]string{}, nil
	case ddl.Reset:
		w.assign(s.Name, "", true)
	case ddl.Set:
		if s.Local && !w.inTx {
			return // it does nothing
		}
		before, path := w.settings[s.Name], w.searchPath
		_, was := w.settings[s.Name]
		w.assign(s.Name, s.Value, false)
		if s.Local {
			w.after = append(w.after, func() {
				w.assign(s.Name, before, !was)
				if s.Name == "search_path" {
					w.searchPath = path
				}
			})
		}
	}
}

func (w *world) assign(name, value string, remove bool) {
	set(w, w.settings, name, value, remove)
	if name != "search_path" {
		return
	}
	before := w.searchPath
	if w.inTx {
		w.undo = append(w.undo, func() { w.searchPath = before })
	}
	w.searchPath = nil
	for schema := range strings.SplitSeq(value, ",") {
		if schema = strings.Trim(strings.TrimSpace(schema), `"`); schema != "" && schema != "$user" {
			w.searchPath = append(w.searchPath, schema)
		}
	}
}

// make takes in a relation that the file makes.
func (w *world) make(name ddl.Name, kind string, temp, filled bool, file int) {
	schema, persistence := name.Schema, "p"
	switch {
	case temp || schema == "pg_temp":
		schema, persistence = "pg_temp", "t"
	case schema == "":
		schema = w.schema()
	}
	w.count++
	set(w, w.made, facts.Key(schema, name.Name), true, false)
	w.put(facts.Key(schema, name.Name), &object{file: file, filled: filled && persistence == "p", Relation: facts.Relation{
		// No server gives identities as high as these to what it holds already.
		OID: ^uint32(0) - uint32(w.count), Schema: schema, Name: name.Name, Kind: kind, Persistence: persistence,
		MayAlter: true, Readable: true, CreatedHere: true, Empty: true,
	}})
}

func (w *world) put(key string, o *object) {
	if o != nil && o.filled && !w.inTx {
		set(w, w.objects, key, nil, true) // it is filled and there for all to use
		return
	}
	if o != nil && o.filled {
		w.filled = append(w.filled, key)
	}
	set(w, w.objects, key, o, false)
}

// keys takes in the indexes of constraints, by the names that the server chooses where none is written.
func (w *world) keys(table ddl.Name, constraints []ddl.Constraint) {
	for _, k := range constraints {
		columns := strings.Join(append(slices.Clone(k.Columns), ""), "_")
		chosen, has := map[ddl.ConstraintType]string{ddl.PrimaryKey: "pkey", ddl.Unique: columns + "key", ddl.Exclusion: columns + "excl"}[k.Type]
		if has && k.UsingIndex == "" {
			w.index(table, cmp.Or(k.Name, table.Name+"_"+chosen))
		}
	}
}

// index takes in an index on something that the files made. Others are as before: unknown.
func (w *world) index(of ddl.Name, name string) {
	table := w.objects[w.key(of)]
	if table == nil || name == "" {
		return
	}
	w.count++
	set(w, w.made, facts.Key(table.Schema, name), true, false)
	index := facts.Relation{
		OID: ^uint32(0) - uint32(w.count), Schema: table.Schema, Name: name, Kind: "i", Persistence: table.Persistence,
		MayAlter: true, Readable: true, CreatedHere: true, Rows: -1, Bytes: -1, Table: &table.Relation,
	}
	w.put(facts.Key(table.Schema, name), &object{file: table.file, Relation: index})
}

func (w *world) utility(s ddl.Statement, u ddl.Utility, file int) {
	w.makeDomain(s)
	if strings.HasPrefix(s.Tag, "DROP") || u.Replace || u.IfNotExists {
		return // what is replaced was there before
	}
	if strings.HasPrefix(s.Tag, "CREATE") {
		for _, name := range u.Names {
			set(w, w.made, w.identity(u.Object, name), true, false)
		}
	}
	if u.Object == "SCHEMA" {
		return
	}
	kinds := map[ddl.ObjectKind]string{"VIEW": "v", "MATERIALIZED VIEW": "m", "SEQUENCE": "S"}
	for _, ref := range s.Refs {
		if kind := kinds[ref.Kind]; kind != "" && ref.Created {
			w.make(ref.Name, kind, false, kind == "m" && !u.NoData, file)
		}
	}
}

func (w *world) alter(a ddl.AlterTable) {
	if a.Object == "DOMAIN" {
		w.alterDomain(a)
	}
	for _, command := range a.Commands {
		to := ddl.Name{Schema: a.Table.Schema, Name: command.NewName}
		switch command.Op {
		case "AddConstraint":
			w.keys(a.Table, []ddl.Constraint{*command.Constraint})
			continue
		case "SetSchema":
			to = ddl.Name{Schema: command.NewName, Name: a.Table.Name}
		case "Rename":
		case "AddColumn":
			w.keys(a.Table, command.Column.Constraints)
			if w.objects[w.key(a.Table)] == nil { // rows of before have its type now
				set(w, w.made, w.identity("TYPE", command.Column.Type), false, true)
			}
			continue
		default:
			continue
		}
		before, after := w.identity(a.Object, a.Table), w.identity(a.Object, to)
		w.moveDomain(before, after)
		if w.made[before] {
			set(w, w.made, before, false, true)
			set(w, w.made, after, true, false)
		}
		if slices.Contains([]ddl.ObjectKind{"TABLE", "INDEX", "VIEW", "MATERIALIZED VIEW", "SEQUENCE"}, a.Object) {
			w.rename(a.Table, to)
		}
	}
}

// adopt takes in that something which others use, or may, is below what the files have made.
func (w *world) adopt(parent, child ddl.Name, before func(ddl.Name) *facts.Relation) {
	key := w.key(parent)
	o := w.objects[key]
	if below, here := w.objects[w.key(child)]; o == nil || here && (below == nil || !below.Adopted) {
		return
	}
	size := adopted{-1, -1}
	if r := before(child); r != nil {
		size = adopted{r.Rows, r.Bytes}
	}
	w.above(key, func(below map[string]adopted) { below[w.key(child)] = size })
}

// release takes in that something is not below what the files have made any more: with it goes what is below it.
func (w *world) release(parent, child ddl.Name) {
	gone := []string{w.key(child)}
	above, below := w.objects[w.key(parent)], w.objects[w.key(child)]
	if above == nil {
		return
	}
	if below != nil {
		gone = append(gone, slices.Collect(maps.Keys(below.adopted))...)
		moved := *below
		moved.parents = slices.DeleteFunc(slices.Clone(below.parents), func(oid uint32) bool { return oid == above.OID })
		w.put(w.key(child), &moved)
	}
	w.above(w.key(parent), func(below map[string]adopted) {
		for _, key := range gone {
			delete(below, key)
		}
	})
}

// under takes in that one thing that the files have made is below another.
func (w *world) under(child, parent ddl.Name) {
	below, above := w.objects[w.key(child)], w.objects[w.key(parent)]
	if below == nil || above == nil || slices.Contains(w.lineage(above), below) {
		return // the server refuses a circle
	}
	moved := *below
	moved.parents = append(slices.Clone(below.parents), above.OID)
	w.put(w.key(child), &moved)
}

// above changes what is adopted below an object, and below all that it is a part of.
func (w *world) above(key string, change func(map[string]adopted)) {
	for _, o := range w.lineage(w.objects[key]) {
		changed := *o
		changed.adopted = maps.Clone(o.adopted)
		if changed.adopted == nil {
			changed.adopted = map[string]adopted{}
		}
		change(changed.adopted)
		changed.Descendants = len(changed.adopted)
		changed.Adopted, changed.Empty, changed.Rows, changed.Bytes = changed.Descendants > 0, changed.Descendants == 0, 0, 0
		for _, size := range changed.adopted {
			if changed.Rows += size.rows; size.rows < 0 {
				changed.Rows = -1
				break
			}
		}
		for _, size := range changed.adopted {
			if changed.Bytes += size.bytes; size.bytes < 0 {
				changed.Bytes = -1
				break
			}
		}
		key := facts.Key(o.Schema, o.Name)
		set(w, w.made, key, !changed.Adopted, changed.Adopted)
		w.put(key, &changed)
	}
}

// lineage is an object and all that the files have put it below, each once.
func (w *world) lineage(o *object) []*object {
	all := []*object{o}
	for i := 0; i < len(all); i++ {
		for _, parent := range all[i].parents {
			if above := w.byIdentity(parent); above != nil && !slices.Contains(all, above) {
				all = append(all, above)
			}
		}
	}
	return all
}

// byIdentity is what the files have made with this identity, as it is by now; nil if it is gone.
func (w *world) byIdentity(oid uint32) *object {
	for _, o := range w.objects {
		if o != nil && o.OID == oid {
			return o
		}
	}
	return nil
}

func (w *world) rename(from, to ddl.Name) {
	key := w.key(from)
	w.renameHeld(from, to)
	o, known := w.objects[key]
	set(w, w.objects, key, nil, false)
	switch {
	case o != nil:
		renamed := *o
		if to.Schema == "" {
			to.Schema = o.Schema
		}
		renamed.Schema, renamed.Name = to.Schema, to.Name
		w.put(facts.Key(to.Schema, to.Name), &renamed)
	case !known:
		w.renameAdopted(key, w.key(ddl.Name{Schema: cmp.Or(to.Schema, from.Schema), Name: to.Name}))
		before := from
		if earlier, again := w.renamed[key]; again {
			before = earlier
		}
		set(w, w.objects, w.key(to), nil, true)
		set(w, w.renamed, w.key(to), before, false)
	}
}

// renameAdopted gives what is adopted its new key.
func (w *world) renameAdopted(from, to string) {
	for key, o := range maps.Clone(w.objects) {
		if o == nil {
			continue
		}
		if size, below := o.adopted[from]; below {
			w.above(key, func(below map[string]adopted) {
				delete(below, from)
				below[to] = size
			})
		}
	}
}

// renameHeld gives what the transaction holds a lock on its new name.
func (w *world) renameHeld(from, to ddl.Name) {
	held := slices.Clone(w.held) // statements before have the list as it was
	for i, h := range held {
		if w.key(ddl.Name{Schema: h.Schema, Name: h.Name}) == w.key(from) {
			held[i].Schema, held[i].Name = cmp.Or(to.Schema, h.Schema), to.Name
		}
	}
	w.held = held
}

func (w *world) drop(d ddl.Drop) {
	for _, name := range d.Names {
		set(w, w.made, w.identity(d.Object, name), false, true)
		if d.Object == "TYPE" || d.Object == "DOMAIN" {
			set(w, w.domains, w.identity("TYPE", name), domain{}, true)
		}
	}
	switch d.Object {
	case "TABLE", "INDEX", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE":
	case "SCHEMA":
		for key, o := range w.objects {
			if o != nil && slices.ContainsFunc(d.Names, func(n ddl.Name) bool { return n.Name == o.Schema }) {
				set(w, w.objects, key, nil, false)
			}
		}
		return
	default:
		return
	}
	for _, name := range d.Names {
		key := w.key(name)
		dropped := w.objects[key]
		set(w, w.objects, key, nil, false)
		set(w, w.renamed, key, ddl.Name{}, true)
		for above, o := range maps.Clone(w.objects) {
			if o != nil && above != key {
				if _, below := o.adopted[key]; below {
					w.release(ddl.Name{Schema: o.Schema, Name: o.Name}, name)
				}
			}
		}
		if dropped == nil {
			continue
		}
		for key, o := range w.objects {
			if o != nil && o.Table != nil && o.Table.OID == dropped.OID {
				set(w, w.objects, key, nil, false)
			}
		}
	}
}

// write takes note of what may fill a table: rows that are written out in the file are few.
func (w *world) write(s ddl.Statement, write ddl.Write) {
	o := w.objects[w.key(write.Target)]
	if o == nil || o.filled || o.Persistence == "t" || write.Op == ddl.Update || write.Op == ddl.Delete {
		return
	}
	many := write.Op != ddl.Insert || len(s.Refs) > 1
	for _, call := range s.Calls {
		many = many || slices.Contains([]string{
			"generate_series", "unnest", "json_array_elements", "jsonb_array_elements", "json_populate_recordset", "jsonb_populate_recordset",
			"json_to_recordset", "jsonb_to_recordset", "regexp_split_to_table", "string_to_table", "dblink",
		}, call.Name)
	}
	if many {
		filled := *o
		filled.filled = true
		w.put(w.key(write.Target), &filled)
	}
}

// known adds to what a server or nobody knows what the files have made of the names. elsewhere reports whether any of it was made by
// another file than the one at hand.
func (w *world) known(base facts.Facts, names []ddl.Name, file int) (known facts.Facts, elsewhere bool) {
	known = base
	known.Held, known.HoldsStrong = w.held, len(w.held) > 0
	known.Relations = make(map[string]*facts.Relation, len(names))
	for key, r := range base.Relations {
		known.Relations[key] = r
	}
	for _, name := range names {
		o, here := w.objects[w.key(name)]
		if !here {
			continue
		}
		key := facts.Key(name.Schema, name.Name)
		if o == nil {
			known.Relations[key] = nil
			continue
		}
		elsewhere = elsewhere || o.file != file
		relation := o.Relation
		if relation.Table != nil {
			if table := w.byIdentity(relation.Table.OID); table != nil {
				relation.Table = &table.Relation // it may have another name by now, or others below it
			}
		}
		known.Relations[key] = &relation
	}
	known.Known = known.Known || len(known.Relations) > 0
	if len(w.settings) > 0 {
		known.Settings = make(map[string]string, len(base.Settings)+len(w.settings))
		for name, value := range base.Settings {
			known.Settings[name] = value
		}
		for name, value := range w.settings {
			known.Settings[name] = value
		}
	}
	return known, elsewhere
}

// ParseVersion reads a server version as people write it, into server_version_num: 15 is 150000, 14.3 is 140003.
func ParseVersion(text string) (int, bool) {
	major, minor, dotted := strings.Cut(text, ".")
	m, err := strconv.Atoi(major)
	if err != nil || m < 10 || m > 99 {
		return 0, false
	}
	n := 0
	if dotted {
		if n, err = strconv.Atoi(minor); err != nil || n < 0 || n > 99 {
			return 0, false
		}
	}
	return m*10000 + n, true
}
