package ddl

import (
	"fmt"
	"strings"
	"testing"
)

func TestTags(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"ALTER TABLE t ADD a int /*action='run%20it',framework='rails%3A7'*/", "map[action:run it framework:rails:7]"},
		{"ALTER TABLE t ADD a int /*application:shop,controller:Migrate,line:/db/migrate.rb:12*/", "map[application:shop controller:Migrate line:/db/migrate.rb:12]"},
		{"/* route='/x' */ ALTER TABLE t /* job='7' */ ADD a int;", "map[job:7 route:/x]"},
		{"ALTER TABLE t ADD a int -- deploy='2026-11-29'", "map[deploy:2026-11-29]"},
		{"ALTER TABLE t ADD a int /* a remark, and application:shop */", "map[]"},
		{"ALTER TABLE t ADD a text DEFAULT '/*action=''x''*/'", "map[]"},
		{"/* pgsluice:allow x reason=\"y\" */ ALTER TABLE t ADD a int", "map[]"},
		// What may be a secret is not read.
		{"ALTER TABLE t ADD a int /*password='x',user='alice',api_key='y',db='postgres://u:p@h/d'*/", "map[user:alice]"},
		{"ALTER TABLE t ADD a int /*note='" + strings.Repeat("x", 300) + "',k='v'*/", "map[k:v]"},
	} {
		statements, err := Parse(c.text)
		if err != nil || len(statements) != 1 {
			t.Fatalf("%s: %v", c.text, err)
		}
		if got := fmt.Sprint(Tags(statements[0])); got != c.want {
			t.Errorf("%s: got %s, want %s", c.text, got, c.want)
		}
	}
}

func TestClaimIsOneShortLine(t *testing.T) {
	for _, c := range []struct{ claim, want string }{
		{"alice@example.org", "alice@example.org"},
		{"a\nb\tc", "a b c"},
		{"postgres://u:p@h/d", "…"},
		{"password=x", "…"},
		{"ghp_abcdefghijkl", "…"},
		{"DB_PWD=x", "…"},
		{strings.Repeat("ä", 200), strings.Repeat("ä", 100) + "…"},
	} {
		if got := Claim(c.claim); got != c.want {
			t.Errorf("%q: got %q, want %q", c.claim, got, c.want)
		}
	}
}
