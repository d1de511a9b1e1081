package facts

import (
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// affected is what has to be known of a statement that drops, empties, renames or moves something, or changes what others use by its name:
// who depends on it.
func affected(stmt ddl.Statement) []Wanted {
	switch action := stmt.Action.(type) {
	case ddl.Drop:
		if action.Object == "POLICY" {
			return named(stmt, Wanted{Dependents: true})
		}
		return dropped(action)
	case ddl.AlterTable:
		return altered(action)
	case ddl.Utility:
		return changed(stmt, action)
	case ddl.CreateTable:
		if action.As {
			return named(stmt, Wanted{})
		}
	case ddl.Write:
		if action.Reach >= ddl.ManyRows {
			return []Wanted{{Name: action.Target}}
		}
	}
	return nil
}

// named asks the same about every relation that the statement names and that exists.
func named(stmt ddl.Statement, about Wanted) []Wanted {
	var wanted []Wanted
	for _, ref := range stmt.Refs {
		if !ref.Created {
			about.Name = ref.Name
			wanted = append(wanted, about)
		}
	}
	return wanted
}

func dropped(drop ddl.Drop) []Wanted {
	var wanted []Wanted
	for _, name := range drop.Names {
		switch drop.Object {
		case "TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE":
			wanted = append(wanted, Wanted{Name: name, Parents: drop.Object == "TABLE", Dependents: true})
		case "TYPE", "DOMAIN":
			wanted = append(wanted, Wanted{Types: []ddl.TypeName{{Name: name}}, Users: true})
		case "FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE":
			wanted = append(wanted, Wanted{Functions: []ddl.Name{name}, Users: true})
		case "SCHEMA":
			wanted = append(wanted, Wanted{Schemas: []string{name.Name}})
		}
	}
	return wanted
}

func altered(alter ddl.AlterTable) []Wanted {
	switch alter.Object {
	case "SCHEMA":
		return []Wanted{{Schemas: []string{alter.Table.Name}}}
	case "TYPE", "DOMAIN":
		return []Wanted{{Types: []ddl.TypeName{{Name: alter.Table}}, Users: true}}
	}
	gone := func(c ddl.AlterCommand) bool {
		switch c.Op {
		case "DropColumn", "DropConstraint", "Rename", "RenameColumn", "SetSchema", "EnableRowSecurity", "ForceRowSecurity", "ReplicaIdentity":
			return true
		}
		return false
	}
	if slices.ContainsFunc(alter.Commands, gone) {
		return []Wanted{{Name: alter.Table, Parents: true, Dependents: true}}
	}
	return nil
}

func changed(stmt ddl.Statement, utility ddl.Utility) []Wanted {
	switch stmt.Tag {
	case "TRUNCATE TABLE", "CREATE POLICY", "ALTER POLICY":
		return named(stmt, Wanted{Dependents: true, Emptied: utility.Cascade})
	case "SELECT", "CREATE MATERIALIZED VIEW", "REFRESH MATERIALIZED VIEW", "ANALYZE":
		return named(stmt, Wanted{})
	case "CREATE FUNCTION", "CREATE PROCEDURE", "ALTER FUNCTION", "ALTER PROCEDURE", "ALTER ROUTINE":
		return []Wanted{{Functions: utility.Names, Users: true}}
	}
	return nil
}

// cast is what has to be known of the types that constants are cast to, or are the default of.
func cast(stmt ddl.Statement) []Wanted {
	var wanted []Wanted
	for _, c := range slices.Concat(stmt.Casts, ddl.DefaultTexts(stmt)) {
		if c.Type.Name.Schema != "pg_catalog" {
			wanted = append(wanted, Wanted{Types: []ddl.TypeName{c.Type}})
		}
	}
	return wanted
}

// PartOf reports whether what depends on something belongs to the relation, as its triggers, policies, defaults and constraints do.
func (d Dependent) PartOf(r *Relation) bool {
	schema, rest := firstName(d.Table)
	name, _ := firstName(strings.TrimPrefix(rest, "."))
	return d.Table != "" && schema == r.Schema && name == r.Name
}

// Is reports whether the column is of the type itself, not of an array, a domain or a composite type over it.
func (u TypeUser) Is(t *Type) bool {
	first, rest := firstName(u.Type)
	if rest == "" {
		return first == t.Name
	}
	name, behind := firstName(strings.TrimPrefix(rest, "."))
	return first == t.Schema && name == t.Name && behind == ""
}

// firstName takes the first name off a qualified one, without its quotes.
func firstName(qualified string) (name, rest string) {
	if !strings.HasPrefix(qualified, `"`) {
		end := strings.IndexByte(qualified+".", '.')
		return qualified[:end], qualified[end:]
	}
	for i := 1; i < len(qualified); i++ {
		if qualified[i] != '"' {
			continue
		}
		if strings.HasPrefix(qualified[i+1:], `"`) {
			i++ // doubled, it stands for itself
			continue
		}
		return strings.ReplaceAll(qualified[1:i], `""`, `"`), qualified[i+1:]
	}
	return qualified, ""
}
