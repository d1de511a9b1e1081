package ddl

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestWriting reads statements that change rows: how they pick them, what decides whether they can be split, and the two parts.
func TestWriting(t *testing.T) {
	datadriven.RunTest(t, "testdata/writing.txt", func(t *testing.T, d *datadriven.TestData) string {
		statements, err := Parse(d.Input)
		if err != nil || len(statements) != 1 {
			d.Fatalf(t, "%d statements, %v", len(statements), err)
		}
		s := statements[0]
		switch d.Cmd {
		case "touches":
			list, err := Touches(s)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			fmt.Fprintf(&out, "changes %t\n", Changes(s))
			for _, touch := range list {
				fmt.Fprintf(&out, "%+v\n", touch)
			}
			return out.String()
		case "writing":
			w, err := ReadWriting(s)
			if err != nil {
				return err.Error() + "\n"
			}
			for i := range w.Moments {
				w.Moments[i].Call = nil // its address
			}
			return strings.ReplaceAll(fmt.Sprintf("%+v\n", w), " Moments", "\nMoments")
		case "split":
			w, err := ReadWriting(s)
			if err != nil {
				return err.Error() + "\n"
			}
			var constants []Constant
			for _, m := range w.Moments {
				constants = append(constants, Constant{m, "'" + strings.ReplaceAll(m.SQL, "'", "") + "'::text"})
			}
			before, where, err := SplitWriting(s, Name{"app", "part_1"}, constants)
			if err != nil {
				return err.Error() + "\n"
			}
			return before + "\n| " + where + "\n"
		}
		d.Fatalf(t, "unknown directive")
		return ""
	})
}

func TestShapes(t *testing.T) {
	shapes := NewShapes(maphash.MakeSeed())
	utf8, _ := NewEncoding("UTF8")
	sjis, _ := NewEncoding("SJIS")
	of := func(text string, e Encoding) any {
		shape, ok := shapes.Of([]byte(text), e)
		if !ok {
			return text + " has none"
		}
		return shape
	}
	for _, same := range [][]string{
		{"UPDATE t SET a = 1 WHERE id = 2", "UPDATE t SET a = 1.5e+10 WHERE id = .5", "UPDATE t SET a = 1e3 WHERE id = 7"},
		{"UPDATE t SET a = 'x'", "UPDATE t SET a = 'it''s'", "UPDATE t SET a = 'José'", "UPDATE t SET a = ' WHERE '"},
		{"UPDATE t SET a = $1 /* a */", "UPDATE t SET a = $1 /* trace='7' */"},
		{"UPDATE t SET a = $1 -- a", "UPDATE t SET a = $1 --"},
		{"UPDATE t SET a = 1 WHERE id IN (SELECT id FROM t LIMIT 5) AND b = 2", "UPDATE t SET a = 3 WHERE id IN (SELECT id FROM t LIMIT 5) AND b = 4"},
		{"UPDATE t SET first = 1, next = 2", "UPDATE t SET first = 3, next = 4"},
	} {
		for _, text := range same {
			if of(text, utf8) != of(same[0], utf8) {
				t.Errorf("%q and %q have two shapes", same[0], text)
			}
		}
	}
	different := []string{"DELETE FROM t WHERE a = 1", "DELETE FROM t WHERE b = 1", "DELETE FROM t WHERE a = '1'", "DELETE FROM t WHERE a = $1", "DELETE FROM t WHERE a = $2",
		`DELETE FROM t WHERE "a" = 1`, `DELETE FROM t WHERE a1 = 1`, "DELETE FROM t WHERE a = 1 OR 1", "DELETE FROM t --\nWHERE a = 1"}
	for _, limit := range []string{"LIMIT %d", "limit /* 1 */ (%d)", "LIMIT - -%d", "FETCH FIRST %d ROWS ONLY", "fetch next (%d) rows only"} {
		for _, count := range []int{10, 5000000} {
			different = append(different, "DELETE FROM t WHERE id IN (SELECT id FROM t "+fmt.Sprintf(limit, count)+")")
		}
	}
	var seen []any
	for _, text := range different {
		if slices.Contains(seen, of(text, utf8)) {
			t.Errorf("%q has the shape of another", text)
		}
		seen = append(seen, of(text, utf8))
	}
	for _, text := range []string{`SET a = '\'`, "SET a = E'x'", "SET a = $$x$$", "SET a = $x$ y $x$", "SET a = 1x", "SET a = 0x1F", "SET a = 1_000", "SET a = 1e", "a /* /* */ */",
		"a /* b", "SET a = 'b", `SET "a`, "SET a = $1a", "SET a = u&'x'", "a\x00"} {
		if _, ok := shapes.Of([]byte(text), utf8); ok {
			t.Errorf("%q has a shape", text)
		}
	}
	for _, text := range []string{"UPDATE t SET a = 'é'", "UPDATE é SET a = 1", "UPDATE \"é\" SET a = 1"} {
		if _, ok := shapes.Of([]byte(text), sjis); ok {
			t.Errorf("%q has a shape in SJIS", text)
		}
	}
}

func BenchmarkShape(b *testing.B) {
	text := []byte(`UPDATE "products" SET "price" = 19.99, "stock" = "products"."stock" - 1, "updated_at" = '2024-05-01 12:34:56.789012' WHERE "products"."id" = 4711`)
	shapes := NewShapes(maphash.MakeSeed())
	utf8, _ := NewEncoding("UTF8")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, ok := shapes.Of(text, utf8); !ok {
			b.Fatal("no shape")
		}
	}
}

// TestTriggerBody reads bodies of trigger functions.
func TestTriggerBody(t *testing.T) {
	datadriven.RunTest(t, "testdata/trigger.txt", func(t *testing.T, d *datadriven.TestData) string {
		body, ok := ReadTriggerBody(d.Input)
		if !ok {
			return "may read a table\n"
		}
		return fmt.Sprintf("%+v\n", body)
	})
}
