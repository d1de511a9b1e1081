package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// swap is what to type in place of a change that rewrites: a second column, kept equal, filled, indexed and swapped in. What is not known of the
// table is left out.
func (g changing) swap() string {
	table := g.c.Stmt.Text[g.alter.TableSpan.Start:g.alter.TableSpan.End]
	name := g.command.Name
	old, fresh := g.free(name+"_old"), g.free(name+"_new")
	helper, function, keep := keptByTrigger(g.alter.Table, table, fresh, name+"_new", g.expression())
	steps := slices.Concat(g.rest(),
		[]string{fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s;", table, fresh, g.definition())},
		keep,
		[]string{fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s IS NULL AND %s IS NOT NULL; -- in batches", table, fresh, g.expression(), fresh, quoted(name))})
	exchange := []string{
		"BEGIN;",
		fmt.Sprintf("DROP TRIGGER %s ON %s;", helper, table),
		fmt.Sprintf("DROP FUNCTION %s();", function),
	}
	var after []string
	if g.column != nil {
		var before, within []string
		before, within, after = g.carry(table, fresh)
		steps, exchange = append(steps, before...), append(exchange, within...)
	}
	exchange = append(exchange,
		fmt.Sprintf("ALTER TABLE %s RENAME COLUMN %s TO %s;", table, quoted(name), old),
		fmt.Sprintf("ALTER TABLE %s RENAME COLUMN %s TO %s;", table, fresh, quoted(name)),
		"COMMIT;",
		fmt.Sprintf("ALTER TABLE %s DROP COLUMN %s;", table, old))
	return strings.Join(slices.Concat(steps, exchange, after), "\n")
}

// rest is what the statement does besides the change.
func (g changing) rest() []string {
	index := slices.IndexFunc(g.alter.Commands, func(command ddl.AlterCommand) bool { return command.Span == g.command.Span })
	return typed(besides(g.c.Stmt, nil, index))
}

// keptByTrigger is what to type to keep a column, which is quoted, equal to an expression over the others; the trigger and its function are named after
// the table and the label.
func keptByTrigger(name ddl.Name, table, column, label, expression string) (trigger, function string, steps []string) {
	trigger = quoted(name.Name + "_" + label)
	function = trigger
	if name.Schema != "" {
		function = quoted(name.Schema) + "." + trigger
	}
	return trigger, function, []string{
		fmt.Sprintf("CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT %s INTO NEW.%s FROM (SELECT NEW.*) AS %s; RETURN NEW; END $$;",
			function, expression, column, quoted(name.Name)),
		fmt.Sprintf("CREATE TRIGGER %s BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s();", trigger, table, function),
	}
}

// free is a name like it, quoted, that no column of the table has.
func (g changing) free(name string) string {
	for g.table != nil && g.table.Column(name) != nil {
		name += "_"
	}
	return quoted(name)
}

// definition is the new type with its collation.
func (g changing) definition() string {
	if collate := g.command.Column.Collate; collate.Name != "" {
		if collate.Schema != "" {
			return g.typed() + " COLLATE " + facts.Key(collate.Schema, collate.Name)
		}
		return g.typed() + " COLLATE " + facts.QuoteIdent(collate.Name)
	}
	return g.typed()
}

// expression gives the new value from the old one.
func (g changing) expression() string {
	if using := g.command.Column.Using; using.End > using.Start {
		return fmt.Sprintf("(%s)::%s", g.c.Stmt.Text[using.Start:using.End], g.typed())
	}
	return quoted(g.command.Name) + "::" + g.typed()
}

// carry gives the new column what the old one has: indexes, NOT NULL, the default, keys. The first are done before the swap, the second with it, the
// last when the old column is gone.
func (g changing) carry(table, fresh string) (before, within, after []string) {
	for _, i := range g.table.Indexes {
		if !slices.Contains(i.Mentions, g.column.Name) {
			continue
		}
		if !i.Plain || len(i.Included) > 0 || i.Kind != "i" || i.Deferrable {
			before = append(before, fmt.Sprintf("-- The same for index %s, on %s: %s", quoted(i.Name), fresh, i.Definition))
			continue
		}
		keys := make([]string, len(i.Columns))
		for k, column := range i.Columns {
			if keys[k] = quoted(column); column == g.column.Name {
				keys[k] = fresh
			}
		}
		word := "INDEX"
		if i.Unique {
			word = "UNIQUE INDEX"
		}
		copied := quoted(i.Name + "_new")
		before = append(before, fmt.Sprintf("CREATE %s CONCURRENTLY %s ON %s (%s)%s;", word, copied, table, strings.Join(keys, ", "), behindKeys(i.Definition)))
		kind := "UNIQUE"
		if i.Primary {
			kind = "PRIMARY KEY"
		}
		if i.Constraint == "" {
			after = append(after, fmt.Sprintf("ALTER INDEX %s RENAME TO %s;", qualified(g.table.Schema, i.Name+"_new"), quoted(i.Name)))
		} else {
			within = append(within, fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s, ADD CONSTRAINT %[2]s %s USING INDEX %s;", table, quoted(i.Constraint), kind, copied))
		}
	}
	if g.column.NotNull {
		check := quoted(g.alter.Table.Name + "_" + g.command.Name + "_new_not_null")
		before = append(before,
			fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID;", table, check, fresh),
			fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s;", table, check))
		within = slices.Concat([]string{
			fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL;", table, fresh),
			fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s;", table, check)}, within,
			[]string{fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL;", table, quoted(g.column.Name))})
	}
	if g.column.Default != "" {
		within = append(within, fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET DEFAULT (%s)::%s;", table, fresh, g.column.Default, g.typed()))
	}
	return append(before, g.ties(fresh)...), within, after
}

// behindKeys is what pg_get_indexdef says behind the keys: NULLS NOT DISTINCT, WITH (…).
func behindKeys(definition string) string {
	stmt, err := ddl.Reparse(definition)
	create, ok := stmt.Action.(ddl.CreateIndex)
	if err != nil || !ok {
		return ""
	}
	return strings.TrimPrefix(stmt.Text[create.Keys.End:], ")")
}

// ties are the parts of a swap that depend on what else hangs on the column, told in words.
func (g changing) ties(fresh string) []string {
	var notes []string
	name := quoted(g.column.Name)
	for _, k := range g.table.Constraints {
		if slices.Contains(k.Columns, g.column.Name) && (k.Type == "c" || k.Type == "f") && k.Definition != "" {
			notes = append(notes, fmt.Sprintf("-- The same for constraint %s, on %s, NOT VALID and then validated: %s", quoted(k.Name), fresh, k.Definition))
		}
	}
	for _, r := range references(g.table, g.column.Name) {
		notes = append(notes, fmt.Sprintf("-- Foreign key %s of %s references %s: drop it in the swap, and add it again NOT VALID.",
			quoted(r.Name), qualified(r.Table.Schema, r.Table.Name), name))
	}
	if g.column.Identity != "" {
		notes = append(notes, fmt.Sprintf("-- %s is an identity: drop that in the swap, ADD GENERATED … AS IDENTITY to %s, and set its sequence.", name, fresh))
	}
	if g.table.Depends != nil {
		for _, d := range g.table.Depends.Objects {
			if d.Kind == "sequence" && d.Column == g.column.Name && g.column.Identity == "" {
				notes = append(notes, fmt.Sprintf("-- In the swap, before the old column goes: ALTER SEQUENCE %s OWNED BY the new one.", qualified(d.Schema, d.Name)))
			}
		}
	}
	return notes
}
