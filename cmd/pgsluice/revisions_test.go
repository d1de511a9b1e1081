package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pgsluice/pgsluice/revisions"
)

// Whatever is in it, a table of revisions is no wider than a terminal.
func TestRevisionsFitIntoATerminal(t *testing.T) {
	row := revisions.RevisionRow{
		ID: 1234567, Tool: "graphile-migrate", Revision: strings.Repeat("größe_", 20), Direction: revisions.Moved, State: "rolled back",
		Started: time.Now().Add(-40 * time.Hour),
	}
	row.Login = "deployment_of_everything"
	row.Work.Statements, row.Work.Verdicts = 12345, []string{"pass", "rewrite"}
	var out strings.Builder
	if err := printRevisions(&out, []revisions.RevisionRow{row}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > lineWidth {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	if !strings.Contains(out.String(), "…") || !strings.Contains(out.String(), "12345 rewrite") {
		t.Errorf("got\n%s", out.String())
	}
}

func TestVersionTablesOfTheConfiguration(t *testing.T) {
	for line, wrong := range map[string]string{
		"knex app.my_migrations": "", "knex my_migrations": "", "ours ops.deployments id name": "",
		"knex": "must be TOOL TABLE", "ours ops.deployments": "is not known", "knex t name": "are known", "ours a.b.c id": "TABLE or SCHEMA.TABLE",
		"ours größe id": "ASCII",
	} {
		_, err := toolOf(line)
		if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v", line, err)
		}
	}
	tools, names := revisionsConfig{Tables: []string{"knex app.my_migrations", "ours ops.deployments id"}}.tools()
	if tools[0].Table != "my_migrations" || tools[1].Name != "ours" || len(tools) != len(revisions.Tools())+2 {
		t.Errorf("got %+v", tools[:2])
	}
	for name, own := range map[string]bool{"my_migrations": true, "my_migrations_lock": true, "users": false} {
		if revisions.Keeps(tools, "app", name) != own {
			t.Errorf("that a tool keeps app.%s is %v", name, !own)
		}
	}
	if revisions.Keeps(tools, "ops", "users") || !revisions.Keeps(tools, "ops", "deployments") || revisions.Keeps(tools, "public", "deployments") {
		t.Error("ops is not the tool's, or its table is not")
	}
	// The first has a name that is found anyway.
	if names == nil || !names.MatchString(`INSERT INTO "Deployments"`) || names.MatchString("my_migrations") {
		t.Errorf("got %v", names)
	}
}
