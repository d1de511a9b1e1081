package revisions

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Op is the kind of a write to a version table.
type Op string

// The writes. Load is COPY and INSERT … SELECT, whose rows are not in the statement.
const (
	Insert   Op = "insert"
	Update   Op = "update"
	Delete   Op = "delete"
	Truncate Op = "truncate"
	Load     Op = "load"
)

// Write is one write to a version table: what it says of the rows, as text. A column that is missing is not known.
type Write struct {
	Op Op
	// Rows are those of an Insert, or what an Update has made of several rows of which nobody says which became which.
	Rows []map[string]string
	// Set are the columns that an Update sets.
	Set map[string]string
	// Where are the columns that the condition fixes, each to one of the values; Everything is true without a condition.
	Where      map[string][]string
	Everything bool
	// Count is how many rows the server says it were; 0 is not known.
	Count int64
}

const (
	// MostRows is how many rows one write may name: more are a load. Clients choose them, and each costs the ledger a row.
	MostRows = 100
	// longestValue is how much of a value counts, in bytes.
	longestValue = 500
)

// many reports whether a write names more than MostRows rows. Each of several columns with several values multiplies them.
func (w Write) many() bool {
	named := 1
	for _, values := range w.Where {
		if named *= max(1, len(values)); named > MostRows {
			return true
		}
	}
	return len(w.Rows) > MostRows
}

// shortened is the write with its values cut.
func (w Write) shortened() Write {
	short := func(value string) string {
		if len(value) <= longestValue {
			return value
		}
		return strings.ToValidUTF8(value[:longestValue], "") + "…"
	}
	row := func(from map[string]string) map[string]string {
		to := make(map[string]string, len(from))
		for column, value := range from {
			to[column] = short(value)
		}
		return to
	}
	rows := w.Rows
	w.Rows = nil
	for _, one := range rows {
		w.Rows = append(w.Rows, row(one))
	}
	where := w.Where
	w.Where = make(map[string][]string, len(where))
	for column, values := range where {
		for _, value := range values {
			w.Where[column] = append(w.Where[column], short(value))
		}
	}
	w.Set = row(w.Set)
	return w
}

// Direction is where a revision takes the schema.
type Direction string

// The directions. Force is a row that was written or taken away without anything being run for it: stamp, baseline, repair, a dump that is
// loaded. Moved is a table of one row that went from one revision to another, and nobody knows which of them is the older.
const (
	Up    Direction = "up"
	Down  Direction = "down"
	Force Direction = "force"
	Moved Direction = "moved"
)

// Stage is which part of a revision's life a write is.
type Stage string

// The stages. Most tools write once, behind or before what they run.
const (
	Whole  Stage = "whole"
	Begun  Stage = "begun"
	Ended  Stage = "ended"
	Broken Stage = "failed"
)

// Event is what a write to a version table tells.
type Event struct {
	Stage     Stage
	Direction Direction
	// Revision is the id of the revision; "" is not known, or all of them. Previous is what the table said before, where it has one row for all.
	Revision string
	Previous string
	// Key is the row's own key, by which a later write may name it; "" for none.
	Key string
	// Unsaid takes back what so many writes before told, of which this one is the last part.
	Unsaid int
	// Parents are the revisions that it stands on, separated by commas, as far as the ledger, which was asked for it, knows.
	Parents string
	// FirstUp and LastUp say when it went up, as numbers that grow with time; 0 is never, or not known.
	FirstUp, LastUp int64
}

// mayStandOn reports whether the revision can have been put on another one: that must have been there before.
func (e *Event) mayStandOn(other *Event) bool {
	return e.LastUp == 0 || other.FirstUp == 0 || other.FirstUp < e.LastUp
}

// Past is what is known when a write is read.
type Past struct {
	// Current is the version in a table of one row, before this transaction emptied it; "" is none, or not known, which Known tells.
	Current string
	Known   bool
	// Running is the revision that this session, or whoever wrote the row, has begun and not ended; nil for none.
	Running *Event
	// Halves are what the session has told, in the transaction at hand, of rows that it inserted or deleted since it last moved one, or ran something.
	Halves []Event
	// Session is what the session's last write to the table told, whatever it has run since; nil for none.
	Session *Event
	// Last is what the ledger last heard of a revision; nil for nothing.
	Last func(revision string) *Event
	// Idle is true when the session has run nothing at all that could be a migration.
	Idle bool
}

// Learn reads a write to the tool's version table.
func (t Tool) Learn(w Write, past Past) []Event {
	if (w.Op == Load || w.many()) && t.style != oneRow {
		return []Event{{Stage: Whole, Direction: Force}}
	}
	switch t.style {
	case heads:
		return t.heads(w, past)
	case oneDirty:
		return t.oneDirty(w, past)
	case oneRow:
		return t.oneRow(w, past)
	case stages:
		return t.stages(w)
	case steps:
		return t.steps(w)
	case events:
		return t.events(w)
	}
	told := t.rows(w)
	if t.stamp(past) {
		for i := range told {
			told[i].Direction = Force
		}
	}
	return told
}

// stamp reports whether the tool writes to its table, and has run nothing.
func (t Tool) stamp(past Past) bool {
	return t.Stamps && past.Idle && (past.Session == nil || past.Session.Direction == Force)
}

// id is the revision that a row names, "" if it names none.
func (t Tool) id(row map[string]string) string {
	if t.Join == "" {
		for _, column := range t.ID {
			if row[column] != "" {
				return row[column]
			}
		}
		return ""
	}
	var parts []string
	for _, column := range t.ID {
		if row[column] != "" {
			parts = append(parts, row[column])
		}
	}
	return strings.Join(parts, t.Join)
}

// named are the rows that a condition names: one for each of the values that a column may have.
func (w Write) named() []map[string]string {
	all := []map[string]string{{}}
	for column, values := range w.Where {
		var more []map[string]string
		for _, row := range all {
			for _, value := range values {
				with := map[string]string{column: value}
				for k, v := range row {
					with[k] = v
				}
				more = append(more, with)
			}
		}
		all = more
	}
	slices.SortFunc(all, func(a, b map[string]string) int {
		for column := range w.Where {
			if c := strings.Compare(a[column], b[column]); c != 0 {
				return c
			}
		}
		return 0
	})
	return all
}

// rows: a row is a revision.
func (t Tool) rows(w Write) []Event {
	var told []Event
	switch w.Op {
	case Insert:
		for _, row := range w.Rows {
			id := t.id(row)
			if id == "" && row[t.Key] == "" || id == t.None && id != "" {
				continue
			}
			stage, direction := t.verdict(row)
			told = append(told, Event{Stage: stage, Direction: direction, Revision: id, Key: row[t.Key]})
		}
	case Update:
		if t.style == filed && w.Set["exectype"] == "RERAN" {
			told = append(told, t.each(w, Up)...)
		}
	case Delete, Truncate:
		if w.Op == Truncate || w.Everything {
			return []Event{{Stage: Whole, Direction: Force}}
		}
		direction := Down
		if t.style == outcomes {
			direction = Force // repair; its own way back inserts a row
		}
		told = append(told, t.each(w, direction)...)
	}
	return told
}

// each is one event for each row that the condition names.
func (t Tool) each(w Write, direction Direction) []Event {
	var told []Event
	named := w.named()
	if w.Count > 0 && w.Count < int64(len(named)) {
		named = named[:w.Count] // the names are spellings of one
	}
	for _, row := range named {
		id, key := t.id(row), row[t.Key]
		if t.Join != "" && slices.ContainsFunc(t.ID, func(column string) bool { return row[column] == "" }) {
			id = "" // a part of a name is no name
		}
		if id == t.None && id != "" {
			continue
		}
		told = append(told, Event{Stage: Whole, Direction: direction, Revision: id, Key: key})
	}
	return told
}

// verdict is what an inserted row says of its revision.
func (t Tool) verdict(row map[string]string) (Stage, Direction) {
	switch t.style {
	case flagged:
		if isFalse(row["is_applied"]) {
			return Whole, Down
		}
	case outcomes:
		direction := Up
		switch kind := row["type"]; {
		case strings.HasPrefix(kind, "UNDO"):
			direction = Down
		case kind == "BASELINE" || kind == "SCHEMA" || kind == "DELETE" || kind == "SQL_BASELINE" || kind == "JDBC_BASELINE":
			direction = Force
		}
		if isFalse(row["success"]) {
			return Broken, direction
		}
		return Whole, direction
	case filed:
		if row["exectype"] == "MARK_RAN" {
			return Whole, Force
		}
	}
	return Whole, Up
}

// heads: a row is the newest revision of a branch. A merge deletes all but one and moves that; its way back inserts all but one and moves the last.
func (t Tool) heads(w Write, past Past) []Event {
	column := t.ID[0]
	stamp := t.stamp(past)
	stamped := func(direction Direction) Direction {
		if stamp {
			return Force
		}
		return direction
	}
	switch w.Op {
	case Insert:
		var told []Event
		for _, row := range w.Rows {
			if id := row[column]; id != "" {
				told = append(told, Event{Stage: Whole, Direction: stamped(Up), Revision: id})
			}
		}
		return told
	case Update:
		if len(w.Rows) > 0 {
			return t.several(w, past)
		}
		to, from := w.Set[column], strings.Join(w.Where[column], ",")
		if stamp && to != "" {
			return []Event{{Stage: Whole, Direction: Force, Revision: to, Previous: from}}
		}
		direction, revision, previous := moved(to, from, past)
		halves := halvesOf(direction, past)
		for _, half := range slices.Backward(halves) {
			if !slices.Contains(strings.Split(previous, ","), half.Revision) {
				previous = half.Revision + "," + previous
			}
		}
		return []Event{{Stage: Whole, Direction: direction, Revision: revision, Previous: previous, Unsaid: len(halves)}}
	case Delete, Truncate:
		if w.Op == Truncate || w.Everything {
			return []Event{{Stage: Whole, Direction: Force}}
		}
		var told []Event
		for _, event := range t.each(w, Down) {
			event.Direction = stamped(Down)
			told = append(told, event)
		}
		return told
	}
	return nil
}

// several: heads that one statement has moved. The ledger knows which of them stand on each other. Of the others, if they are more than one to one, it is not
// known which became which, but they went the same way.
func (t Tool) several(w Write, past Past) []Event {
	column := t.ID[0]
	past.Halves = nil
	move := func(from, to string) Event {
		return t.heads(Write{Op: Update, Where: map[string][]string{column: {from}}, Set: map[string]string{column: to}}, past)[0]
	}
	var told []Event
	left, came := slices.Clone(w.Where[column]), []string{}
	for _, row := range w.Rows {
		to := row[column]
		from := slices.IndexFunc(left, func(from string) bool { return stands(from, past.Last(to)) || stands(to, past.Last(from)) })
		if from < 0 {
			came = append(came, to)
			continue
		}
		told, left = append(told, move(left[from], to)), slices.Delete(left, from, from+1)
	}
	if len(left) == 0 || len(came) == 0 {
		return told
	}
	first := move(left[0], came[0])
	if len(left) == 1 && len(came) == 1 {
		return append(told, first)
	}
	if first.Direction == Down {
		came = left
	}
	for _, revision := range came {
		told = append(told, Event{Stage: Whole, Direction: first.Direction, Revision: revision})
	}
	return told
}

// halvesOf are the rows that were deleted just before a row was moved to the revision that merges their branches, or inserted before it was moved back: who goes
// up deletes rows for nothing else, and who goes down inserts none for anything else.
func halvesOf(direction Direction, past Past) []Event {
	other := map[Direction]Direction{Up: Down, Down: Up}[direction]
	first := len(past.Halves)
	for first > 0 && past.Halves[first-1].Direction == other {
		first--
	}
	return past.Halves[first:]
}

// moved tells in which direction a head went, from what the ledger knows of both ends.
func moved(to, from string, past Past) (direction Direction, revision, previous string) {
	was, is := past.Last(from), past.Last(to)
	back, forth := stands(to, was), stands(from, is) // both, if one was guessed wrong once
	half := Direction("")
	if len(past.Halves) > 0 {
		half = past.Halves[len(past.Halves)-1].Direction
	}
	switch {
	case to == "":
		return Moved, "", from
	case back && !forth:
		return Down, from, was.Parents
	case forth && !back:
		return Up, to, is.Parents
	case is != nil && was != nil && is.Direction == Down && !is.mayStandOn(was):
		return Moved, to, from // from one root to another: no tool does that by itself
	case is != nil && was != nil && is.Direction == Up && was.Direction == Moved && was.Previous == to:
		return Moved, to, from // and back
	case (is == nil || is.Direction == Moved) && (was == nil || was.Direction == Moved) && half == Down:
		return Up, to, from // which merges the branches whose rows have gone
	case (is == nil || is.Direction == Moved) && (was == nil || was.Direction == Moved) && half == Up:
		return Down, from, to
	case is != nil && is.Direction == Up && to != from:
		return Down, from, to
	case is != nil && is.Direction == Down, was != nil && (was.Direction == Up || was.Direction == Force && is == nil && past.Session != nil):
		return Up, to, from
	case past.Session != nil && past.Session.Direction == Down:
		return Down, from, to
	case was != nil && was.Direction == Moved && past.Session == nil && was.Previous != to:
		return Up, to, from // who did not know the way before has gone on since
	}
	return Moved, to, from
}

// stands reports whether the ledger knows that a revision stands on another one.
func stands(on string, revision *Event) bool {
	return revision != nil && slices.Contains(strings.Split(revision.Parents, ","), on)
}

// oneDirty: the row is written before the revision, with dirty true, and behind it.
func (t Tool) oneDirty(w Write, past Past) []Event {
	if w.Op == Truncate || w.Op == Delete && w.Everything {
		if past.Running != nil && past.Running.Direction == Down && past.Running.Previous == t.None {
			return []Event{{Stage: Ended, Direction: Down, Revision: past.Running.Revision, Previous: t.None}}
		}
		return nil // the row that follows says what it is
	}
	if w.Op != Insert || len(w.Rows) != 1 {
		return nil
	}
	version := w.Rows[0]["version"]
	direction, revision, previous := numbered(version, cmp.Or(past.Current, t.None), past.Known)
	switch {
	case isTrue(w.Rows[0]["dirty"]):
		return []Event{{Stage: Begun, Direction: direction, Revision: revision, Previous: previous}}
	case past.Running != nil && past.Running.target() == version:
		running := *past.Running
		running.Stage = Ended
		return []Event{running}
	}
	return []Event{{Stage: Whole, Direction: Force, Revision: version, Previous: past.Current}}
}

// target is the version that the table has when the revision is done.
func (e Event) target() string {
	if e.Direction == Down {
		return e.Previous
	}
	return e.Revision
}

// numbered tells in which direction a version that is a number goes, and which revision that is.
func numbered(to, from string, known bool) (direction Direction, revision, previous string) {
	a, err := strconv.ParseInt(from, 10, 64)
	b, err2 := strconv.ParseInt(to, 10, 64)
	switch {
	case !known || err != nil || err2 != nil:
		return Moved, to, ""
	case b < a:
		return Down, from, to
	}
	return Up, to, from
}

// oneRow: UPDATE moves the version by one.
func (t Tool) oneRow(w Write, past Past) []Event {
	if w.Op != Update || w.Set["version"] == "" {
		return nil
	}
	direction, revision, previous := numbered(w.Set["version"], past.Current, past.Known)
	return []Event{{Stage: Whole, Direction: direction, Revision: revision, Previous: previous}}
}

// stages: a row is inserted when its revision begins, and told of its end.
func (t Tool) stages(w Write) []Event {
	var told []Event
	switch w.Op {
	case Insert:
		for _, row := range w.Rows {
			event := Event{Stage: Begun, Direction: Up, Revision: t.id(row), Key: row[t.Key]}
			if row["finished_at"] != "" {
				event.Stage, event.Direction = Whole, Force
			}
			told = append(told, event)
		}
	case Update:
		stage, direction := Stage(""), Up
		switch {
		case w.Set["finished_at"] != "":
			stage = Ended
		case w.Set["rolled_back_at"] != "":
			stage, direction = Whole, Force
		case w.Set["logs"] != "":
			stage = Broken
		default:
			return nil
		}
		for _, event := range t.each(w, direction) {
			event.Stage = stage
			told = append(told, event)
		}
	case Delete, Truncate:
		return t.rows(Write{Op: w.Op, Where: w.Where, Everything: w.Everything})
	}
	return told
}

// steps: a row counts how many of its revision's statements are done.
func (t Tool) steps(w Write) []Event {
	if w.Op != Insert && w.Op != Update {
		return t.rows(w)
	}
	given := w.Rows
	if w.Op == Update {
		given = nil
		for _, row := range w.named() {
			for column, value := range w.Set {
				row[column] = value
			}
			given = append(given, row)
		}
	}
	var told []Event
	for _, row := range given {
		event := Event{Direction: Up, Revision: t.id(row)}
		switch {
		case event.Revision == "" || strings.HasPrefix(event.Revision, "."): // a row of its own, about itself
			continue
		case row["type"] == "1" || row["type"] == "4": // baseline, resolved
			event.Stage, event.Direction = Whole, Force
		case row["error"] != "":
			event.Stage = Broken
		case row["applied"] == "" || row["total"] == "":
			continue
		case row["applied"] == row["total"]:
			event.Stage = Ended
		case row["applied"] == "0":
			event.Stage = Begun
		default:
			continue
		}
		told = append(told, event)
	}
	return told
}

// events: the tool keeps a log.
func (t Tool) events(w Write) []Event {
	if w.Op != Insert {
		return nil
	}
	var told []Event
	for _, row := range w.Rows {
		event := Event{Stage: Whole, Direction: Up, Revision: t.id(row)}
		switch row["event"] {
		case "deploy":
		case "revert":
			event.Direction = Down
		case "fail":
			event.Stage = Broken
		default:
			continue
		}
		told = append(told, event)
	}
	return told
}

func isTrue(value string) bool  { return value == "t" || value == "true" || value == "1" }
func isFalse(value string) bool { return value == "f" || value == "false" || value == "0" }

// Course is what a session has seen of one version table.
type Course struct {
	Tool  Tool
	Table VersionTable
	past  Past
	// block is true when the last write was in a transaction block.
	block bool
}

// OneRow reports whether Tell has to know the version that the table has before the write: see Was.
func (c *Course) OneRow(w Write) bool {
	switch c.Tool.style {
	case oneDirty:
		return w.Op == Truncate || w.Op == Delete
	case oneRow:
		return w.Op == Update
	}
	return false
}

// Lists reports whether each row of the table stands for a revision that is applied, and for nothing else.
func (c *Course) Lists() bool { return c.Tool.style == rows }

// Branches reports whether each row of the table stands for a branch, which moves from one revision to the next.
func (c *Course) Branches() bool { return c.Tool.style == heads }

// Was says which version the table has: "" for none.
func (c *Course) Was(version string) { c.past.Current, c.past.Known = version, true }

// Ran says that the session has run something that a revision may consist of.
func (c *Course) Ran() { c.past.Halves = nil }

// BlockEnded says that a transaction block has ended: what was told in it has nothing to do with what follows. A tool that works without blocks has
// each write in a transaction of its own.
func (c *Course) BlockEnded() {
	if c.block {
		c.past.Halves = nil
	}
}

// Running is the revision that was begun and has not ended; nil for none.
func (c *Course) Running() *Event { return c.past.Running }

// Tell reads a write. last asks the ledger, idle is true when the session has run nothing that could be a migration, block when the write was in a
// transaction block.
func (c *Course) Tell(w Write, last func(revision string) *Event, idle, block bool) []Event {
	if block != c.block {
		c.past.Halves, c.block = nil, block
	}
	past := c.past
	past.Last, past.Idle = last, idle
	told := c.Tool.Learn(w.shortened(), past)
	if w.Op == Update {
		c.past.Halves = nil
	}
	for _, event := range told {
		switch event.Stage {
		case Begun:
			c.past.Running = &event
		case Ended, Broken:
			c.past.Running = nil
		}
		if w.Op != Update && len(c.past.Halves) < MostRows {
			c.past.Halves = append(c.past.Halves, event)
		}
		c.past.Session = &event
	}
	return told
}

// Columns are the names of the table's columns, in order.
func (c *Course) Columns() []string { return c.Table.columnNames() }

// Type is the type of a column, "" if there is none of the name.
func (c *Course) Type(column string) string {
	for _, one := range c.Table.Columns {
		if one.Name == column {
			return one.Type
		}
	}
	return ""
}
