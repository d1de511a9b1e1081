package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// root is the table that the statement names.
func (s *splitting) root() facts.Member {
	for _, m := range s.Members {
		if m.OID == s.OID {
			return m
		}
	}
	return facts.Member{}
}

// table is what the table must be, and must not have.
func (s *splitting) table() (why, hint string) {
	root := s.root()
	switch root.Kind {
	case "v":
		return fmt.Sprintf("%q is a view; change the rows of its table", root.Name), ""
	case "r", "p":
	default:
		return fmt.Sprintf("%q is not a table of this server; change its rows where they are", root.Name), ""
	}
	if root.Kind == "r" && len(s.Members) > 1 && !s.text.Only {
		return fmt.Sprintf("%q has children; change each table by itself, with ONLY", root.Name), ""
	}
	for _, m := range s.members() {
		switch {
		case m.Kind == "f":
			return fmt.Sprintf("its partition %q is a foreign table; change the other partitions each by its name", m.Name), ""
		case len(m.Rules) > 0:
			return fmt.Sprintf("the rewrite rule %q of %q makes something else of it; change the rows without that", m.Rules[0], m.Name), ""
		case s.RowSecurity && root.Kind == "p":
			return fmt.Sprintf("row security of %q holds for this login, and would not on its partitions; use a login that it does not hold for", root.Name), ""
		case m.RowSecurity && len(m.Policies) > 0:
			return fmt.Sprintf("the policy %q of %q looks at more than the row itself; use a login that row security does not hold for", m.Policies[0], m.Name), ""
		case m.RowSecurity && len(m.Parting) > 0:
			return fmt.Sprintf("the policy %q of %q is not the same for SELECT as for %s, and the batches read the key; use a login that row security does not hold for",
				m.Parting[0], m.Name, s.check.Stmt.Tag), ""
		case m.RowSecurity && m.OID != s.OID:
			return fmt.Sprintf("row security of the partition %q would hold for this login; use one that it does not hold for", m.Name), ""
		}
	}
	return "", ""
}

// members are the tables that the statement changes; with ONLY it is the one that is named.
func (s *splitting) members() []facts.Member {
	if s.text.Only || s.root().Kind == "r" {
		return []facts.Member{s.root()}
	}
	return s.Members
}

// reading is what the statement must not read.
func (s *splitting) reading() (why, hint string) {
	for _, read := range s.Reads {
		if read.Itself {
			return fmt.Sprintf("it reads %s once more, where later batches would find what earlier ones have changed; select the rows without a sub-query", read.Name), ""
		}
	}
	return "", ""
}

// values are what the new values and the condition must not depend on.
func (s *splitting) values() (why, hint string) {
	for _, call := range s.text.Calls {
		r := s.Routine("f", call.Name, call.Args)
		switch name := spelled(call.Name); {
		case r == nil:
			return fmt.Sprintf("nothing is known of the function %s(); do without it", name), ""
		case r.Volatile == "v":
			return fmt.Sprintf("%s() is volatile, so that batches give other values; use constants or columns", name), ""
		case r.Reads:
			return fmt.Sprintf("%s() may read tables, which change between batches; write what it does in place of it", name), ""
		case r.System && ofSession(call):
			return fmt.Sprintf("%s() depends on the session, and another may go on with the batches; write its value as a constant", name), ""
		case r.System && r.Volatile == "s" && moves(call):
			return fmt.Sprintf("%s() depends on when it is called; use now() or a constant", name), ""
		}
	}
	for _, a := range s.text.Attributes {
		if r := s.Attribute(a); r != nil && (r.Volatile == "v" || r.Reads) {
			return fmt.Sprintf("%q behind a dot may call the function %s() by attribute notation, which is volatile or may read tables; do without it", a.Name, a.Name), ""
		}
	}
	for _, name := range s.text.Operators {
		if r := s.Routine("o", name, -1); r != nil && (r.Volatile == "v" || r.Reads) {
			return fmt.Sprintf("the function behind the operator %s is volatile, or may read tables; do without it", name.Name), ""
		}
	}
	for _, r := range s.Routines {
		if r.Kind == "c" && (r.Volatile == "v" || r.Reads) {
			return fmt.Sprintf("the function behind the %s is volatile, or may read tables; make it immutable", r.Name), ""
		}
	}
	for _, clock := range s.text.Clocks {
		if s.isTime(clock.Column) {
			return fmt.Sprintf("%q is read anew by each batch; use now() or a constant", clock.Text), ""
		}
	}
	for i, m := range s.text.Moments {
		if (m.Call == nil || s.Freezable(*m.Call)) && (i >= len(s.Constants) || s.Constants[i] == "") {
			return fmt.Sprintf("the value of %s cannot be kept for all batches; use a constant", strings.ReplaceAll(m.SQL, `"`, "")), ""
		}
	}
	for _, m := range s.members() {
		for _, column := range s.text.Defaulted {
			if slices.Contains(m.MovingDefaults, column) {
				return fmt.Sprintf("the default of %q is not the same for each batch; write the value", column), ""
			}
		}
	}
	return "", ""
}

// ofSession reports whether a function of the system's reads a setting of the session, which the one that goes on with a stopped job need not have.
func ofSession(call ddl.Call) bool { return call.Name.Name == "current_setting" }

// moves reports whether a stable function of the system's looks at the clock, at tables, or at what the server is doing.
func moves(call ddl.Call) bool {
	name := call.Name.Name
	return name == "age" && call.Args == 1 || strings.Contains(name, "_to_xml") || strings.HasPrefix(name, "pg_stat") || strings.HasPrefix(name, "ts_stat")
}

// isTime reports whether a column, or what it is if that is not known, can be a date or a time.
func (s *splitting) isTime(column string) bool {
	table, known := s.check.Relation(s.write.Target)
	if column == "" || !known || table == nil {
		return true
	}
	c := table.Column(column)
	if c == nil || c.TypeSchema != "pg_catalog" {
		return true
	}
	switch c.TypeName {
	case "text", "varchar", "bpchar", "name", "char", "json", "jsonb", "bytea":
		return false
	}
	return true
}

// triggers are those that must not be there.
func (s *splitting) triggers() (why, hint string) {
	set := s.Set(s.text)
	for _, m := range s.members() {
		for _, t := range m.Triggers {
			if len(t.Columns) > 0 && !slices.ContainsFunc(t.Columns, func(c string) bool { return slices.Contains(set, c) }) {
				continue
			}
			name := fmt.Sprintf("trigger %q of %q", t.Name, m.Name)
			if !t.Row || t.Whole {
				return name + " is for the statement as a whole, and would run for each batch; make it one for rows", ""
			}
			if t.Deferrable {
				return name + " may wait for the COMMIT, which comes with each batch; make it one that is not deferrable", ""
			}
			body, ok := t.Body()
			if !ok || slices.ContainsFunc(body.Calls, s.mayRead) || slices.ContainsFunc(body.Inserts, s.isMember) {
				return fmt.Sprintf("%s runs %s(), which may read tables or change more than its row; see to it that it does not", name, t.Function), ""
			}
			if slices.ContainsFunc(body.Calls, ofSession) {
				return fmt.Sprintf("%s runs %s(), which reads a setting of the session, and another may go on with the batches; see to it that it does not", name, t.Function), ""
			}
		}
	}
	return "", ""
}

// mayRead reports whether a function that a trigger calls may read tables.
func (s *splitting) mayRead(call ddl.Call) bool {
	r := s.Routine("f", call.Name, call.Args)
	return r == nil || !r.System && r.Volatile != "i" || strings.Contains(call.Name.Name, "_to_xml")
}

func (s *splitting) isMember(name ddl.Name) bool {
	return slices.ContainsFunc(s.Members, func(m facts.Member) bool {
		return m.Name == name.Name && (name.Schema == "" || name.Schema == m.Schema)
	})
}

// key is what the ranges need.
func (s *splitting) key() (why, hint string) {
	for _, m := range s.members() {
		for _, column := range m.PartitionedBy {
			if slices.Contains(s.assigned, column) {
				return fmt.Sprintf("it assigns %q, by which %q is partitioned, so that rows move; delete them and insert them anew", column, m.Name), ""
			}
		}
		if m.Kind == "p" {
			continue
		}
		if len(m.Keys) == 0 {
			return fmt.Sprintf("%q has no primary key or unique index over NOT NULL columns that batches can go along; give it one", m.Name),
				fmt.Sprintf("CREATE UNIQUE INDEX CONCURRENTLY ON %s (columns that are NOT NULL);", qualified(m.Schema, m.Name))
		}
		if s.Key(m, s.assigned) == nil {
			return fmt.Sprintf("it assigns %q of the key that the batches go along; give other keys to new rows instead", firstOf(m.Keys[0].Columns, s.assigned)), ""
		}
	}
	return "", ""
}

// unique is what assigned columns must not be part of.
func (s *splitting) unique() (why, hint string) {
	for _, m := range s.members() {
		for _, u := range m.Unique {
			if column := firstOf(u.Columns, s.assigned); column != "" {
				return fmt.Sprintf("it assigns %q, which is in %q: two batches may meet in a value that one statement does not; assign it in pieces that cannot meet", column, u.Name), ""
			}
		}
	}
	return "", ""
}

func firstOf(columns, assigned []string) string {
	for _, column := range columns {
		if slices.Contains(assigned, column) {
			return column
		}
	}
	return ""
}

// references are the foreign keys that a DELETE has to be afraid of.
func (s *splitting) references() (why, hint string) {
	for _, r := range s.References {
		if r.Itself {
			return fmt.Sprintf("its rows reference each other (%q), and those of later batches may need those of earlier ones; delete the last of each chain first", r.Name), ""
		}
		if !r.Covered && !(r.Rows >= 0 && r.Rows <= float64(s.check.Small.Rows)) {
			columns := make([]string, len(r.Columns))
			for i, column := range r.Columns {
				columns[i] = quoted(column)
			}
			return fmt.Sprintf("the foreign key %q of %q has no index, so that each deleted row reads all of that table; create one first", r.Name, r.Table),
				first(s.check, fmt.Sprintf("CREATE INDEX CONCURRENTLY ON %s (%s)", qualified(r.Schema, r.Table), strings.Join(columns, ", ")))
		}
	}
	if s.Circular {
		return "what is deleted with its rows (ON DELETE CASCADE) leads back to the table itself; delete from the other tables first", ""
	}
	return "", ""
}

// rights are what the batches need beyond the statement.
func (s *splitting) rights() (why, hint string) {
	for _, m := range s.members() {
		if m.Kind != "p" && !m.May {
			return fmt.Sprintf("the batches go along the key of %q by its own name; grant SELECT and %s on it", m.Name, s.check.Stmt.Tag),
				fmt.Sprintf("GRANT SELECT, %s ON %s TO %s;", s.check.Stmt.Tag, qualified(m.Schema, m.Name), quoted(s.check.Facts.CurrentUser))
		}
		if m.Name != s.text.Alias && m.OID != s.OID && s.text.ThreeWords {
			return "it names columns by schema and table, which partitions do not have; name them by the table alone", ""
		}
	}
	return "", ""
}

// newcomers are rows that come while the batches run: they must have keys behind the last one, or be meant.
func (s *splitting) newcomers() (why, hint string) {
	for _, m := range s.members() {
		if m.Kind == "p" {
			continue
		}
		if s.Grows(s.Key(m, s.assigned)) {
			continue
		}
		said, column := ddl.WhatIsLeft(s.check.Stmt)
		repeatable := s.write.Op == ddl.Update && s.Repeatable(s.text)
		if s.write.Op == ddl.Delete && !s.text.Always || repeatable && said {
			continue
		}
		means := fmt.Sprintf("keys of new rows of %q may lie anywhere, so that rows that come meanwhile would be changed, too", m.Name)
		if repeatable && column != "" {
			return means + "; let its condition say what is left to do", fmt.Sprintf("Add to its condition: %s IS DISTINCT FROM (the new value)", quoted(column))
		}
		return means + "; override it to run it whole", ""
	}
	return "", ""
}

func spelled(name ddl.Name) string {
	if name.Schema == "" {
		return name.Name
	}
	return name.Schema + "." + name.Name
}
