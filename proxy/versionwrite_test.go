package proxy

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/revisions"
)

// TestTools runs testdata/tools.txt: what each migration tool sends to its version table, and what is learned from it.
//
//	table NAME       a version table with the columns of the lines, and whose it is; the ledger is empty then. beside=NAME is in its schema, too
//	session          another session: it has run nothing yet, unless "busy" is said
//	tell             statements, each in a line; parameters follow it, each in a line of its own that begins with $, in binary when it goes
//	                 on with \x. "-- ran" in place of a statement says that the session has run something, "-- current V" what the table holds,
//	                 "-- begin" and "-- commit" where a transaction block begins and ends;
//	                 "-- rows N" behind a statement, how many rows the server has found.
func TestTools(t *testing.T) {
	var b toolBench
	datadriven.RunTest(t, "testdata/tools.txt", func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "table":
			return b.table(t, d)
		case "session":
			b.course, b.busy = &revisions.Course{Tool: b.tool, Table: b.course.Table}, d.HasArg("busy")
			return ""
		case "tell":
			return b.tell(t, d.Input)
		}
		t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
		return ""
	})
}

// toolBench is a session of one tool, and what the ledger knows.
type toolBench struct {
	tool   revisions.Tool
	course *revisions.Course
	ledger map[string][]*revisions.Event
	told   []string // the revisions in it, in the order in which they were told
	ids    map[*revisions.Event]int64
	busy   bool
	block  bool
}

func (b *toolBench) table(t *testing.T, d *datadriven.TestData) string {
	var table revisions.VersionTable
	table.Schema, table.Name, _ = strings.Cut(d.CmdArgs[0].Key, ".")
	for _, arg := range d.CmdArgs[1:] { // beside=NAME
		table.Beside = append(table.Beside, arg.Vals...)
	}
	for line := range strings.SplitSeq(d.Input, "\n") {
		name, kind, _ := strings.Cut(line, " ")
		table.Columns = append(table.Columns, revisions.VersionColumn{Name: name, Type: kind})
	}
	var ok bool
	if b.tool, ok = revisions.Recognise(revisions.Tools(), table); !ok {
		return "none\n"
	}
	if !ddl.MayNameVersionTable(table.Name) && !ddl.MayNameVersionTable(strings.Join(b.tool.Columns, " ")) {
		t.Errorf("%s: the prefilter does not see the table", d.Pos)
	}
	b.course, b.ledger, b.busy = &revisions.Course{Tool: b.tool, Table: table}, map[string][]*revisions.Event{}, true
	b.ids = map[*revisions.Event]int64{}
	return b.tool.Name + "\n"
}

func (b *toolBench) tell(t *testing.T, input string) string {
	var out strings.Builder
	lines := strings.Split(input, "\n")
	for i := 0; i < len(lines); {
		line := lines[i]
		var given parametersGiven
		for i++; i < len(lines) && strings.HasPrefix(lines[i], "$"); i++ {
			value, format := []byte(lines[i][1:]), int16(0)
			if digits, binary := strings.CutPrefix(lines[i], `$\x`); binary {
				var err error
				if value, err = hex.DecodeString(digits); err != nil {
					t.Fatal(err)
				}
				format = 1
			}
			given.values, given.formats = append(given.values, value), append(given.formats, format)
		}
		if line == "-- ran" {
			b.course.Ran()
			b.busy = true
			continue
		}
		if line == "-- begin" || line == "-- commit" {
			if b.block = line == "-- begin"; !b.block {
				b.course.BlockEnded()
			}
			continue
		}
		if version, ok := strings.CutPrefix(line, "-- current"); ok {
			b.course.Was(strings.TrimSpace(version))
			continue
		}
		statements, err := ddl.Parse(line)
		if err != nil || len(statements) != 1 {
			t.Fatalf("%s: %v", line, err)
		}
		encoding, _ := ddl.NewEncoding("UTF8")
		write := writeOf(statements[0], b.course, given, encoding)
		last := func(revision string) *revisions.Event {
			told := b.ledger[revision]
			if len(told) == 0 {
				return nil
			}
			event := *told[len(told)-1]
			for _, e := range told {
				if e.Direction != revisions.Up {
					continue
				}
				event.FirstUp, event.LastUp = cmp.Or(event.FirstUp, b.ids[e]), b.ids[e]
				if e.Previous != "" {
					event.Parents = e.Previous
				}
			}
			return &event
		}
		if count, ok := strings.CutPrefix(strings.TrimSpace(statements[0].Tail), "-- rows "); ok {
			if write.Count, err = strconv.ParseInt(count, 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range b.course.Tell(write, last, !b.busy, b.block) {
			fmt.Fprintf(&out, "%s %s %q", e.Stage, e.Direction, e.Revision)
			if e.Previous != "" {
				fmt.Fprintf(&out, " from %q", e.Previous)
			}
			if e.Key != "" {
				fmt.Fprintf(&out, " key %q", e.Key)
			}
			if e.Unsaid > 0 {
				kept := len(b.told) - e.Unsaid
				for _, half := range b.told[kept:] {
					b.ledger[half] = b.ledger[half][:len(b.ledger[half])-1]
				}
				b.told = b.told[:kept]
				fmt.Fprintf(&out, " unsaid %d", e.Unsaid)
			}
			out.WriteString("\n")
			b.ids[&e] = int64(len(b.ids) + 1)
			b.ledger[e.Revision] = append(b.ledger[e.Revision], &e)
			b.told = append(b.told, e.Revision)
		}
	}
	return out.String()
}
