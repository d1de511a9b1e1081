package rules_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestZZ(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Database(t))
	for _, f := range []string{"testdata/corpus/tables.sql", os.Getenv("ZZMORE")} {
		if f == "" {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		exec(t, conn, string(b))
	}
	exec(t, conn, "ANALYZE")
	b, _ := os.ReadFile(os.Getenv("ZZ"))
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		line, in := strings.CutPrefix(line, "in | ")
		line = strings.ReplaceAll(line, `\n`, "\n")
		v := judged(t, conn, line, in)
		fmt.Printf("### %s | %s\n", v.Action, line)
		for _, f := range v.Findings {
			fmt.Printf("  [%s %s] %s\n", f.Rule, f.Action, f.Message)
			if f.Detail != "" {
				fmt.Printf("      D: %s\n", f.Detail)
			}
			if f.Hint != "" && os.Getenv("ZZHINT") != "" {
				fmt.Printf("      H: %s\n", strings.ReplaceAll(f.Hint, "\n", "\n         "))
			}
		}
	}
}
