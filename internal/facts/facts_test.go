package facts_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// querier is a connection as facts.Read sees it.
type querier struct{ *pgx.Conn }

func (q querier) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	values := make([][]byte, len(args))
	for i, arg := range args {
		values[i] = []byte(arg)
	}
	result := q.PgConn().ExecParams(ctx, sql, values, nil, nil, nil).Read()
	rows := make([]string, len(result.Rows))
	for i, row := range result.Rows {
		rows[i] = string(row[0])
	}
	return rows, result.Err
}

// noWait is far more than facts take, and far less than a lock is held in the cases.
const noWait = 30 * time.Second

// TestFacts runs testdata: each file on a database of its own, "sql" as the session named by its argument, "facts" as the session a
// client would have. Sizes are told as 0, small (up to 1 MiB), large and unknown. "whole" asks about what its argument names
// (table=, dependents, definitions, users, types=, functions=, changed=, schemas=) and tells all that is known of it. "facts all" spares the statement nothing.
func TestFacts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		dsn := pgtest.Database(t)
		sessions := map[string]*pgx.Conn{}
		session := func(d *datadriven.TestData) *pgx.Conn {
			name := "client"
			d.MaybeScanArgs(t, "session", &name)
			if sessions[name] == nil {
				sessions[name] = pgtest.Connect(t, dsn)
			}
			return sessions[name]
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "sql":
				if _, err := session(d).Exec(t.Context(), d.Input); err != nil {
					return err.Error()
				}
				return ""
			case "begin": // a statement that will wait: it is sent, and awaited by nobody
				begin(t, session(d), d.Input)
				return ""
			case "facts":
				return show(readWanted(t, session(d), d.Input, d.HasArg("all")), d)
			case "whole":
				return whole(t, ask(t, session(d), d))
			}
			d.Fatalf(t, "unknown directive")
			return ""
		})
	})
}

// begin sends a statement and returns when the server waits for its lock.
func begin(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	pid := conn.PgConn().PID()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = conn.Exec(t.Context(), sql) // ends with the test's context
	}()
	t.Cleanup(func() { <-ended })
	observer := pgtest.Connect(t, pgtest.Server(t).DSN("postgres", "postgres"))
	pgtest.WaitFor(t, observer, "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)", pid)
}

func read(t *testing.T, conn *pgx.Conn, sql string) facts.Facts {
	t.Helper()
	return readWanted(t, conn, sql, false)
}

// readWanted reads what has to be known of a statement, or with it the indexes, constraints and parents that it is spared, too.
func readWanted(t *testing.T, conn *pgx.Conn, sql string, all bool) facts.Facts {
	t.Helper()
	statements, err := ddl.Parse(sql)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), noWait)
	defer cancel()
	wanted := facts.For(statements[0])
	for i := range wanted {
		if all {
			wanted[i].NoIndexes, wanted[i].NoConstraints, wanted[i].Parents, wanted[i].Guess = false, false, true, 0
		}
	}
	known, err := facts.Read(ctx, querier{conn}, wanted)
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	return known
}

// ask reads what the arguments of a "whole" name.
func ask(t *testing.T, conn *pgx.Conn, d *datadriven.TestData) facts.Facts {
	t.Helper()
	w := facts.Wanted{Dependents: d.HasArg("dependents"), Definitions: d.HasArg("definitions"), Defaults: d.HasArg("definitions"), Users: d.HasArg("users")}
	for _, arg := range d.CmdArgs {
		for _, value := range arg.Vals {
			name := ddl.Name{Name: strings.TrimSuffix(value, "[]")}
			if schema, rest, qualified := strings.Cut(name.Name, "."); qualified {
				name = ddl.Name{Schema: schema, Name: rest}
			}
			switch arg.Key {
			case "table":
				w.Name = name
			case "types":
				w.Types = append(w.Types, ddl.TypeName{Name: name, Array: strings.HasSuffix(value, "[]")})
			case "functions":
				w.Functions = append(w.Functions, name)
			case "changed":
				w.Changed = append(w.Changed, value)
			case "schemas":
				w.Schemas = append(w.Schemas, value)
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), noWait)
	defer cancel()
	known, err := facts.Read(ctx, querier{conn}, []facts.Wanted{w})
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// whole tells everything but what differs from run to run: OIDs that are not the system's, sizes beyond their kind, and what is zero, false or empty.
func whole(t *testing.T, known facts.Facts) string {
	t.Helper()
	var out strings.Builder
	for _, key := range shortestFirst(known.Relations) {
		if r := known.Relations[key]; r != nil && strings.Contains(key, ".") {
			fmt.Fprintf(&out, "relation %s\n%s%s", key, tell(t, r, "  "), tell(t, r.Depends, "  "))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(known.Types)) {
		fmt.Fprintf(&out, "type %s\n%s", key, tell(t, known.Types[key], "  "))
	}
	for _, key := range slices.Sorted(maps.Keys(known.Functions)) {
		fmt.Fprintf(&out, "function %s\n%s", key, tell(t, known.Functions[key], "  "))
	}
	for _, key := range slices.Sorted(maps.Keys(known.Schemas)) {
		fmt.Fprintf(&out, "schema %s\n%s", key, tell(t, known.Schemas[key], "  "))
	}
	for _, held := range known.Held {
		fmt.Fprintf(&out, "held %s %s\n", held.Name, held.Mode)
	}
	casts := map[string]bool{}
	for _, c := range known.Casts {
		casts[fmt.Sprintf("cast %d to %d by %s in %s\n", c.Source, c.Target, c.Method, c.Context)] = true
	}
	for _, line := range slices.Sorted(maps.Keys(casts)) {
		out.WriteString(line)
	}
	return out.String()
}

// tell writes a struct as one line for each field, and one for each member of a list.
func tell(t *testing.T, what any, indent string) string {
	t.Helper()
	text, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return indent + "none\n"
	}
	var out strings.Builder
	var plain []string
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if list, ok := fields[key].([]any); ok && len(list) > 0 && isObject(list[0]) {
			for _, member := range list {
				object := member.(map[string]any)
				switch {
				case key == "constraints" && object["type"] == "n": // NOT NULL is a constraint since 18
					continue
				case key == "indexes": // an empty one has a page before 14
					delete(object, "bytes")
				case object["kind"] == "generated column": // goes without CASCADE before 15
					delete(object, "auto")
				}
				fmt.Fprintf(&out, "%s  %s: %s\n", indent, key, one(key, object))
			}
			continue
		}
		if text := one(key, fields[key]); text != "" {
			plain = append(plain, key+"="+text)
		}
	}
	return indent + strings.Join(plain, " ") + "\n" + out.String()
}

func isObject(value any) bool {
	_, ok := value.(map[string]any)
	return ok
}

// one writes a value in one line; "" for nothing worth telling.
func one(key string, value any) string {
	switch v := value.(type) {
	case map[string]any:
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if text := one(key, v[key]); text != "" {
				parts = append(parts, key+"="+text)
			}
		}
		if len(parts) == 0 {
			return ""
		}
		return "{" + strings.Join(parts, " ") + "}"
	case []any:
		var parts []string
		for _, member := range v {
			parts = append(parts, cmp.Or(one(key, member), "-"))
		}
		if len(parts) == 0 {
			return ""
		}
		return "[" + strings.Join(parts, " ") + "]"
	case json.Number:
		n, _ := v.Int64()
		switch {
		case n == 0 || key == "oid" && n < 16384:
			return ""
		case key == "bytes":
			return bytes(n)
		case n >= 10000: // assigned by the server, from release to release
			return "*"
		}
		return v.String()
	case bool:
		return flag(v, "true")
	case string:
		if v == "postgres" {
			return ""
		}
		return v
	}
	return ""
}

// show prints the parts that the case asks for: session, columns, indexes, constraints; the relations always.
func show(known facts.Facts, d *datadriven.TestData) string {
	var out strings.Builder
	if d.HasArg("session-facts") {
		fmt.Fprintf(&out, "isolation=%q login=%s current=%s search_path=%v probe=%t extensions=%v\n",
			known.Isolation, known.SessionUser, known.CurrentUser, known.SearchPath, known.MayProbe, known.Extensions)
	}
	if known.HoldsStrong {
		fmt.Fprintln(&out, "holds a strong lock")
	}
	told := map[*facts.Relation]bool{}
	for _, key := range shortestFirst(known.Relations) {
		r := known.Relations[key]
		if r == nil {
			fmt.Fprintf(&out, "%s: does not exist\n", key)
			continue
		}
		if told[r] {
			continue // it is known under its qualified name, too
		}
		told[r] = true
		fmt.Fprintf(&out, "%s: %s\n", key, describe(r))
		if r.Table != nil {
			fmt.Fprintf(&out, "  of %s.%s: %s\n", r.Table.Schema, r.Table.Name, describe(r.Table))
			r = r.Table
		}
		if s := r.Sibling; s != nil {
			fmt.Fprintf(&out, "  sibling %s.%s kind=%s", s.Schema, s.Name, s.Kind)
			if s.Table != nil {
				fmt.Fprintf(&out, " of %s", s.Table.Name)
			}
			fmt.Fprintln(&out)
		}
		if r.Taken != nil {
			fmt.Fprintf(&out, "  taken %v\n", r.Taken)
		}
		if d.HasArg("columns") {
			for _, c := range r.Columns {
				fmt.Fprintf(&out, "  column %d %s %s%s\n", c.Num, c.Name, c.Type, flag(c.NotNull, " not null"))
			}
		}
		if d.HasArg("indexes") {
			for _, i := range r.Indexes {
				fmt.Fprintf(&out, "  index %s %s %q%s%s%s%s%s%s%s%s\n", i.Name, i.Method, i.Columns, flag(i.Unique, " unique"),
					flag(i.NullsNotDistinct, " nulls-not-distinct"), flag(i.Partial, " partial"), flag(!i.Valid, " invalid"), flag(i.Building, " building"),
					flag(i.Constraint != "", " constraint="+i.Constraint), flag(i.Parent != 0, " attached"), flag(i.Definition != "", ": "+i.Definition))
			}
		}
		if d.HasArg("constraints") {
			for _, k := range r.Constraints {
				if k.Type != "n" { // NOT NULL is a constraint since 18
					fmt.Fprintf(&out, "  constraint %s type=%s%s: %s\n", k.Name, k.Type, flag(!k.Validated, " not valid"), k.Definition)
				}
			}
		}
		if d.HasArg("partitions") {
			for _, p := range r.Partitions {
				fmt.Fprintf(&out, "  partition %s.%s kind=%s rows=%s bytes=%s\n", p.Schema, p.Name, p.Kind, rows(p.Rows), bytes(p.Bytes))
			}
		}
	}
	return out.String()
}

func describe(r *facts.Relation) string {
	size := fmt.Sprintf(" rows=%s bytes=%s", rows(r.Rows), bytes(r.Bytes))
	return "kind=" + r.Kind + flag(r.Table == nil, size) +
		flag(r.Empty, " empty") + flag(r.CreatedHere, " created-here") + flag(r.Adopted, " adopted") + flag(r.Persistence != "p", " persistence="+r.Persistence) +
		flag(r.Descendants > 0, fmt.Sprintf(" descendants=%d", r.Descendants)) + flag(r.Foreign, " foreign") +
		flag(r.PartitionOf != 0, " partition") + flag(!r.MayAlter, " not-mine") + flag(!r.Readable, " not-readable") +
		flag(r.VersionTable, " version-table") + flag(r.Busy > 0, " busy") + flag(r.Busy < 0, " busy-unknown")
}

func flag(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

func rows(n float64) string {
	if n < 0 {
		return "unknown"
	}
	return fmt.Sprint(n)
}

func bytes(n int64) string {
	switch {
	case n < 0:
		return "unknown"
	case n == 0:
		return "0"
	case n <= 1<<20:
		return "small"
	}
	return "large"
}

func shortestFirst(relations map[string]*facts.Relation) []string {
	return slices.SortedFunc(maps.Keys(relations), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}
