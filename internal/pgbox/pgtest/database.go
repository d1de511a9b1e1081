package pgtest

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// uniqueName returns a name that no other test has, with the test's own name in it for whoever reads the server's log.
func uniqueName(t testing.TB) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(t.Name()), "_"), "_")
	return fmt.Sprintf("%.50s_%d", name, server.names.Add(1)) // identifiers end after 63 bytes
}

// Database makes an empty database and returns its DSN for the superuser. It is dropped when the test ends, whoever is
// still connected.
func Database(t testing.TB) string {
	t.Helper()
	name := uniqueName(t)
	postgres := admin(t, "postgres")
	identifier := pgx.Identifier{name}.Sanitize()
	if err := execAt(t.Context(), postgres, "CREATE DATABASE "+identifier); err != nil {
		t.Fatalf("cannot make a database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := execAt(ctx, postgres, "DROP DATABASE IF EXISTS "+identifier+" WITH (FORCE)"); err != nil {
			t.Errorf("cannot drop the test's database: %v", err)
		}
	})
	return admin(t, name)
}
