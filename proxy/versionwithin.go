package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// mostListed bounds how many revisions of a version table are compared.
const mostListed = 10_000

// versionTablesWithin are the tables, if by their names version tables, that a statement writes to in a way that does not say which rows: that is a part of
// it, of a DO block, as the idempotent scripts of EF Core have them, or of a WITH clause; or it is a MERGE, or an EXECUTE.
func (s *session) versionTablesWithin(statement ddl.Statement) []ddl.Name {
	var tables []ddl.Name
	add := func(table ddl.Name, ok bool) {
		if ok && !slices.Contains(tables, table) {
			tables = append(tables, table)
		}
	}
	visit := func(statement ddl.Statement) {
		add(s.versionTable(statement))
		if merge, ok := statement.Action.(ddl.Write); ok && merge.Op == ddl.Merge {
			add(merge.Target, s.mayKeepVersions(merge.Target))
		}
	}
	if write, ok := statement.Action.(ddl.Write); ok && write.Op == ddl.Merge {
		visit(statement)
	}
	statement.Walk(func(inner ddl.Inner) {
		if !inner.Later && inner.Within != ddl.WithinPrepare {
			visit(inner.Statement)
		}
	})
	if e, ok := ddl.ReadExecute(statement); ok {
		if p := s.prepared[key(e.Name)]; p != nil && p.versions {
			visit(p.reading.statements[0])
		}
	}
	return tables
}

// preparesVersion reports whether a statement is a PREPARE of a write to what may be a version table.
func (s *session) preparesVersion(statement ddl.Statement) bool {
	if statement.Tag != "PREPARE" {
		return false
	}
	_, write := ddl.ReadPrepare(statement)
	_, ok := s.versionTable(write)
	return ok || len(s.versionTablesWithin(write)) > 0
}

// versionsWithin runs a statement a part of which may write to version tables.
func (s *session) versionsWithin(ctx context.Context, at occasion, tables []ddl.Name) error {
	return s.compared(ctx, at, tables, s.judged)
}

// compared runs a statement that may write to version tables, by the way given. What it writes only the server knows: what the tables list before and behind it is
// compared.
func (s *session) compared(ctx context.Context, at occasion, tables []ddl.Name, way func(context.Context, occasion) error) error {
	var courses []*revisions.Course
	var before [][]string
	for _, table := range tables {
		course, err := s.course(ctx, table)
		if err != nil {
			return s.answerFailure(ctx, at, rewrite.Plan{}, err)
		}
		if course == nil || !course.Lists() && !course.Branches() || slices.Contains(courses, course) {
			continue
		}
		listed, known, err := s.listed(ctx, course)
		if err != nil {
			return s.answerFailure(ctx, at, rewrite.Plan{}, err)
		}
		if known {
			courses, before = append(courses, course), append(before, listed)
		}
	}
	if err := way(ctx, at); err != nil || s.failed {
		return err
	}
	for i, course := range courses {
		after, known, err := s.listed(ctx, course)
		if err != nil {
			return s.answerFailure(ctx, at, rewrite.Plan{}, err)
		}
		if !known {
			continue
		}
		writes := writesBetween(course.Tool.ID, before[i], after)
		if course.Branches() {
			writes = movesBetween(course.Tool.ID[0], writes)
		}
		if len(writes) > revisions.MostRows {
			writes = []revisions.Write{{Op: revisions.Load}}
		}
		for _, write := range writes {
			if err := s.learn(ctx, at, course, write); err != nil {
				return s.answerFailure(ctx, at, rewrite.Plan{}, err)
			}
		}
	}
	return nil
}

// listed are the names of the revisions in a version table, a JSON array of the columns each; not known when the client's login may not read them, when there
// are too many, or when the question failed.
func (s *session) listed(ctx context.Context, course *revisions.Course) (names []string, known bool, err error) {
	var columns []string
	for _, column := range course.Tool.ID {
		if !course.Table.Readable(column) {
			return nil, false, nil
		}
		columns = append(columns, facts.QuoteIdent(column)+"::pg_catalog.text")
	}
	names, err = sheltered{s.backend}.Query(ctx, fmt.Sprintf("SELECT pg_catalog.json_build_array(%s)::pg_catalog.text FROM ONLY %s LIMIT %d",
		strings.Join(columns, ", "), facts.Key(course.Table.Schema, course.Table.Name), mostListed+1))
	if err != nil {
		return nil, false, s.aside(ctx, "cannot read a version table", err)
	}
	return names, len(names) <= mostListed, nil
}

// writesBetween are the writes that make the one list of the other: what is new was inserted, what is gone deleted.
func writesBetween(columns, before, after []string) []revisions.Write {
	var writes []revisions.Write
	for _, name := range without(before, after) {
		where := map[string][]string{}
		for column, value := range named(columns, name) {
			where[column] = []string{value}
		}
		writes = append(writes, revisions.Write{Op: revisions.Delete, Where: where})
	}
	for _, name := range without(after, before) {
		writes = append(writes, revisions.Write{Op: revisions.Insert, Rows: []map[string]string{named(columns, name)}})
	}
	return writes
}

// movesBetween are the writes for a table whose rows are branches: what is gone and what is new is one row that was moved, behind those of the branches that
// were merged into it, or that it was parted into. As many of each, if they are several, are rows that were moved at once.
func movesBetween(column string, writes []revisions.Write) []revisions.Write {
	came := slices.IndexFunc(writes, func(w revisions.Write) bool { return w.Op == revisions.Insert })
	if came < 1 {
		return writes
	}
	if came > 1 && len(writes) == 2*came {
		moved := revisions.Write{Op: revisions.Update, Where: map[string][]string{}}
		for i, write := range writes[:came] {
			moved.Where[column] = append(moved.Where[column], write.Where[column]...)
			moved.Rows = append(moved.Rows, writes[came+i].Rows...)
		}
		return []revisions.Write{moved}
	}
	from, to := writes[came-1], writes[len(writes)-1]
	moved := revisions.Write{Op: revisions.Update, Where: from.Where, Set: map[string]string{column: to.Rows[0][column]}}
	return append(slices.Concat(writes[:came-1], writes[came:len(writes)-1]), moved)
}

// without are the names that the others are not among. Both lists may be long, and a script have such a block for each revision.
func without(names, others []string) []string {
	among := make(map[string]bool, len(others))
	for _, name := range others {
		among[name] = true
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return among[name] })
}

// named are the values of a JSON array by their columns, without those that are NULL.
func named(columns []string, array string) map[string]string {
	var values []*string
	row := map[string]string{}
	if err := json.Unmarshal([]byte(array), &values); err != nil {
		return row
	}
	for i, value := range values {
		if value != nil && i < len(columns) {
			row[columns[i]] = *value
		}
	}
	return row
}
