package ddl_test

import (
	"testing"
	"unicode/utf8"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// What is escaped keeps its meaning and says where everything was; what cannot be is left.
func TestEscape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`SELECT 'plain', E'\'', "\"`:              `SELECT 'plain', E'\'', "\"`,
		`SELECT 'a\'', 'b'`:                       `SELECT  E'a\'', 'b'`,
		`SELECT 'ü\\', x'00', U&'b', '\', ' -- \`: `SELECT  E'ü\\', x'00', U&'b',  E'\', ' -- \`,
		"SELECT 'a'\n'\\''":                       "SELECT  E'a'\n'\\''",
		`SELECT N'a\''`:                           "",
		`DO $$ SELECT 'a\' $$`:                    "",
		`SELECT 'a\'`:                             "",
	} {
		escaped, ok := ddl.Escape(text)
		if escaped.Text != want || ok != (want != "") {
			t.Errorf("%s: %q, %t, want %q", text, escaped.Text, ok, want)
			continue
		}
		original := []rune(text)
		for i, r := range []rune(escaped.Text) {
			at := escaped.Position(int32(i + 1))
			if int(at) > len(original) || original[at-1] != r && original[at-1] != '\'' {
				t.Errorf("%s: %q at %d is said to be at %d", text, r, i+1, at)
			}
		}
		if end := utf8.RuneCountInString(escaped.Text) + 1; ok && int(escaped.Position(int32(end))) != len(original)+1 {
			t.Errorf("%s: its end is at %d", text, escaped.Position(int32(end)))
		}
	}
}
