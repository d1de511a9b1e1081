package pgtest

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// Dump returns the schema of a database as pg_dump writes it, without what differs between two runs and without the
// schema pgsluice, so that two dumps are equal if and only if the schemas are.
func Dump(t testing.TB, dsn string) string {
	t.Helper()
	binaries := Server(t).Binaries()
	pgDump, ok := binaries.Tool("pg_dump")
	if !ok {
		t.Fatalf("this test needs pg_dump of Postgres %d or newer: install postgresql-client-%[1]d", binaries.Major)
	}
	cmd := exec.CommandContext(t.Context(), pgDump, "--schema-only", "--exclude-schema=pgsluice", "--dbname="+dsn)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pg_dump: %v\n%s", err, stderr.Bytes())
	}

	var kept strings.Builder
	for line := range strings.Lines(string(out)) {
		if !differsBetweenRuns(line) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func differsBetweenRuns(line string) bool {
	for _, prefix := range []string{"-- Dumped from ", "-- Dumped by ", `\restrict `, `\unrestrict `} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}
