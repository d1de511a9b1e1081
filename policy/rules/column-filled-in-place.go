package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed column-filled-in-place.sql
var columnFilledInPlaceCases string

// columnFilledInPlace: a new column that makes the server write every row.
func columnFilledInPlace() policy.Rule {
	return policy.Rule{
		Name:  "column-filled-in-place",
		Title: "Column added with a value for every row",
		Doc: `ADD COLUMN holds an ACCESS EXCLUSIVE lock on the table, its partitions and children, while it writes every row anew and builds all indexes again, if
the rows cannot share one value: a DEFAULT that calls a volatile function (random(), gen_random_uuid(), clock_timestamp(), nextval(), a function of
your own that is not marked STABLE or IMMUTABLE), serial, GENERATED AS IDENTITY, GENERATED … STORED, and a type that is a domain with a constraint, even
without a default.

Nobody can read or write the table until it is done: minutes for some gigabytes.

pgsluice adds the column empty and sets its default, which new rows get from then on, fills the rows that exist in batches, and adds NOT NULL, keys and
checks afterwards in their safe forms. A stored generated column and a domain with a constraint cannot be had that way and are refused, with what to
type instead. Constants, now() and other stable or immutable functions, and columns without a default pass: no row is written for them. Whether a
function is volatile, and a domain has constraints, is looked up in the catalog. New, empty and small tables are left alone.`,
		Since:   "0.1",
		Default: policy.Rewrite,
		Recipe:  alterTable,
		Cases:   columnFilledInPlaceCases,
		Run:     runColumnFilledInPlace,
	}
}

func runColumnFilledInPlace(c *policy.Check) {
	if alter, ok := c.Stmt.Action.(ddl.AlterTable); ok && alter.Object == "TYPE" && ddl.Cascades(alter) {
		eachTyped(c, alter, runColumnFilledInPlace)
	}
	for _, a := range addedColumns(c) {
		if a.light() {
			continue
		}
		filled, unknown := a.filled()
		switch {
		case a.column.Generated && !a.column.Virtual:
			c.Report(a.report(generatedColumn(a)))
		case a.domain != nil && a.domain.Constrained:
			c.Report(a.report(constrainedDomain(a)))
		case a.domain != nil && !a.defaulted() && a.domain.DefaultVolatile:
			c.Report(a.report(domainDefault(a)))
		case filled:
			finding := a.report(policy.Finding{
				Message: fmt.Sprintf("adding %q %s rewrites %q and blocks reads and writes until every row has its value; add it empty, then set its default and fill the rows in batches",
					a.name, a.source(), a.alter.Table.Name),
				Unknown: unknown,
			})
			c.Report(a.apart(instead(c, finding, a.fillSteps()...)))
		}
	}
}

// source says where the values come from.
func (a addedColumn) source() string {
	switch {
	case a.column.Identity:
		return "as an identity"
	case a.column.Serial():
		return "as " + a.column.Type.Name
	}
	return "with DEFAULT " + strings.Join(strings.Fields(a.c.Stmt.Text[a.column.Default.Start:a.column.Default.End]), " ")
}

// fillSteps is what to type for a column whose rows get their values afterwards.
func (a addedColumn) fillSteps() []string {
	table, name := a.written(), quoted(a.name)
	value := a.c.Stmt.Text[a.column.Default.Start:a.column.Default.End]
	var steps, last []string
	owned := ""
	switch {
	case a.column.Identity:
		// Its own sequence comes with the identity, and goes on where this one ends.
		helper := a.beside(a.alter.Table.Name + "_" + a.name + "_fill")
		steps = append(steps, strings.TrimSpace(fmt.Sprintf("CREATE SEQUENCE %s AS %s %s", helper, a.typed(), ddl.SequenceOptions(a.c.Stmt, a.column))))
		value = fmt.Sprintf("nextval(%s)", literal(helper))
		last = []string{
			"BEGIN",
			fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT, ALTER COLUMN %[2]s ADD %s", table, name,
				a.c.Stmt.Text[a.column.IdentitySpan.Start:a.column.IdentitySpan.End]),
			fmt.Sprintf("SELECT setval(pg_get_serial_sequence(%s, %s), last_value, is_called) FROM %s", literal(table), literal(a.name), helper),
			"DROP SEQUENCE " + helper,
			"COMMIT",
		}
	case a.column.Serial():
		chosen, err := facts.SequenceName(a.named(), a.name, nil)
		if err != nil {
			chosen = a.alter.Table.Name + "_" + a.name + "_seq"
		}
		owned = a.beside(chosen)
		steps = append(steps, fmt.Sprintf("CREATE SEQUENCE %s AS %s", owned, a.column.SerialType()))
		value = fmt.Sprintf("nextval(%s)", literal(owned))
	}
	steps = append(steps, a.bare(allClauses()...), fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s", table, name, value))
	if owned != "" {
		steps = append(steps, fmt.Sprintf("ALTER SEQUENCE %s OWNED BY %s.%s", owned, table, name))
	}
	steps = append(steps, fmt.Sprintf("UPDATE %s SET %s = DEFAULT WHERE %s IS NULL /* in batches */", table, name, name))
	return slices.Concat(steps, a.notNullSteps(), a.constraintSteps(true), last)
}

// allClauses are those of a column that comes bare.
func allClauses() []ddl.Clause {
	return []ddl.Clause{ddl.DefaultClause, ddl.NotNullClause, ddl.IdentityClause, ddl.GeneratedClause, ddl.CheckClause, ddl.UniqueClause,
		ddl.PrimaryKeyClause, ddl.ReferencesClause}
}

// beside is a name in the schema of the table, as far as the statement names that.
func (a addedColumn) beside(name string) string {
	return writtenName(ddl.Name{Schema: a.alter.Table.Schema, Name: name})
}

// notNullSteps is what to type for the NOT NULL of a column that is filled, if it is to be.
func (a addedColumn) notNullSteps() []string {
	if !a.required() {
		return nil
	}
	var steps []string
	for _, step := range notNullSteps(a.c, a.alter, a.named(), a.name) {
		steps = append(steps, strings.TrimSuffix(step, ";"))
	}
	return steps
}

// generatedColumn is refused: no statement turns a column that was filled before into a generated one.
func generatedColumn(a addedColumn) policy.Finding {
	way := "add"
	if a.c.Facts.Version >= 180000 {
		way = "make it VIRTUAL, or add"
	}
	table, name := a.written(), quoted(a.name)
	expression := a.c.Stmt.Text[a.column.Expr.Start:a.column.Expr.End]
	_, _, keep := keptByTrigger(a.alter.Table, table, name, a.name, expression)
	steps := append(typed([]string{a.bare(allClauses()...)}), keep...)
	steps = append(steps, fmt.Sprintf("UPDATE %s SET %s = %s WHERE %[2]s IS NULL; -- in batches", table, name, expression))
	steps = append(steps, typed(slices.Concat(a.notNullSteps(), a.constraintSteps(true)))...)
	return policy.Finding{
		Action: policy.Block,
		Message: fmt.Sprintf("adding %q as a stored generated column rewrites %q and blocks reads and writes until that is done; "+
			"%s a plain column, keep it by a trigger and fill it in batches", a.name, a.alter.Table.Name, way),
		Hint: strings.Join(steps, "\n"),
	}
}

// typed is the column's type as it is written.
func (a addedColumn) typed() string {
	return a.c.Stmt.Text[a.column.TypeSpan.Start:a.column.TypeSpan.End]
}

// constrainedDomain is refused: a column of the domain's base type is no column of the domain.
func constrainedDomain(a addedColumn) policy.Finding {
	based := a
	based.base = a.domain.BaseText
	steps := typed(append([]string{based.bare(a.constraintClauses()...)}, a.constraintSteps(false)...))
	if filled, _ := a.filled(); filled {
		steps = typed(based.fillSteps())
	} else if !a.defaulted() && a.domain.HasDefault {
		steps = append(typed([]string{based.bare(append(a.constraintClauses(), ddl.NotNullClause)...)}),
			fmt.Sprintf("-- then the default of the domain: ALTER TABLE %s ALTER COLUMN %s SET DEFAULT ..., and UPDATE %[1]s SET %[2]s = DEFAULT WHERE %[2]s IS NULL in batches", a.written(), quoted(a.name)))
		steps = append(steps, typed(slices.Concat(a.notNullSteps(), a.constraintSteps(false)))...)
	}
	return policy.Finding{
		Action: policy.Block,
		Message: fmt.Sprintf("adding %q of domain %s rewrites %q, because the domain has a constraint, and blocks reads and writes until that is done; "+
			"use its base type %s and a CHECK ... NOT VALID, then VALIDATE CONSTRAINT", a.name, a.typed(), a.alter.Table.Name, a.domain.BaseText),
		Hint: strings.Join(append(steps,
			fmt.Sprintf("-- then each constraint of the domain: ALTER TABLE %s ADD CHECK (... %s ...) NOT VALID, and VALIDATE CONSTRAINT", a.written(), quoted(a.name))), "\n"),
	}
}

// domainDefault is refused: once the column is there, empty, the default of its domain is for new rows.
func domainDefault(a addedColumn) policy.Finding {
	table, name := a.written(), quoted(a.name)
	bare, _ := ddl.BareColumn(a.c.Stmt, a.index, "", allClauses()...) // a text that cannot be taken apart is not shown
	steps := []string{
		a.with(bare + " DEFAULT NULL"), fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT", table, name),
		fmt.Sprintf("UPDATE %s SET %s = DEFAULT WHERE %[2]s IS NULL /* in batches */", table, name),
	}
	return policy.Finding{
		Action: policy.Block,
		Message: fmt.Sprintf("adding %q rewrites %q, because the default of domain %s is volatile, and blocks reads and writes until that is done; "+
			"add it with DEFAULT NULL, then drop that default and fill the rows in batches", a.name, a.alter.Table.Name, a.typed()),
		Hint: strings.Join(typed(slices.Concat(steps, a.notNullSteps(), a.constraintSteps(true))), "\n"),
	}
}
