package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImports holds the straight line: who may import whom. A new edge is a decision, made here.
func TestImports(t *testing.T) {
	const module = "github.com/pgsluice/pgsluice/"
	ours := map[string][]string{
		"cmd/pgsluice":          nil, // everything
		"bench":                 {"internal/pgbox"},
		"proxy":                 {"policy", "rewrite", "internal/run", "revisions", "internal/facts", "internal/ddl"},
		"policy":                {"internal/facts", "internal/ddl"},
		"policy/rules":          {"policy", "internal/facts", "internal/ddl"},
		"rewrite":               {"internal/facts", "internal/ddl"},
		"revisions":             {},
		"internal/ddl":          {},
		"internal/facts":        {"internal/ddl"},
		"internal/lint":         {"policy", "rewrite", "internal/facts", "internal/ddl"},
		"internal/run":          {"rewrite", "revisions"},
		"internal/control":      {"internal/run"},
		"internal/pgbox":        {},
		"internal/pgbox/pgtest": {"internal/pgbox"},
	}
	foreign := map[string][]string{
		"github.com/google/cel-go/":         {"policy"},
		"github.com/pganalyze/pg_query_go/": {"internal/ddl"},
		"github.com/jackc/pgx/v5/pgproto3":  {"proxy", "internal/pgbox"},
		"github.com/jackc/pgx/v5/pgconn":    {"bench", "cmd/pgsluice", "internal/control", "internal/pgbox/pgtest", "internal/run"},
		"github.com/jackc/pgx/v5":           {"bench", "cmd/pgsluice", "internal/control", "internal/pgbox/pgtest"},
	}
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module)
		may, known := ours[name]
		if !known {
			t.Errorf("package %s is not drawn here: say what it may import", name)
			continue
		}
		for _, imported := range fields[1:] {
			if path, own := strings.CutPrefix(imported, module); own && may != nil && !slices.Contains(may, path) {
				t.Errorf("%s imports %s", name, path)
			}
			for prefix, users := range foreign {
				if (imported == prefix || strings.HasSuffix(prefix, "/") && strings.HasPrefix(imported, prefix)) && !slices.Contains(users, name) {
					t.Errorf("%s imports %s", name, imported)
				}
			}
		}
	}
}
