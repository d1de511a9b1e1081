package ddl

import (
	"fmt"
	"strings"
)

// Cascades reports whether an ALTER TYPE of a composite type goes on to the tables OF it.
func Cascades(alter AlterTable) bool {
	if alter.Object != "TYPE" {
		return false
	}
	for _, command := range alter.Commands {
		if cascades(command) {
			return true
		}
	}
	return false
}

func cascades(command AlterCommand) bool {
	return command.Cascade && (command.Op == "AddColumn" || command.Op == "DropColumn" || command.Op == "AlterColumnType")
}

// Cascaded is the ALTER TABLE that an ALTER TYPE … CASCADE amounts to for a table OF the type. Nobody could send it: of a typed table the server refuses it.
func Cascaded(s Statement, schema, name string) (Statement, error) {
	action, ok := s.Action.(AlterTable)
	if !ok || !Cascades(action) {
		return Statement{}, fmt.Errorf("%s does not go on to tables", s.Tag)
	}
	src := newSource(&s)
	var commands []string
	for _, command := range action.Commands {
		if !cascades(command) {
			continue
		}
		first := 0
		for src.tokens[first].start < command.Span.Start {
			first++
		}
		attribute := src.tokens[first+1] // ADD, ALTER or DROP stands before it
		rest := s.Text[attribute.end:command.Span.End]
		if command.Op != "DropColumn" { // where it is about what depends on the column, too
			rest = rest[:len(rest)-len("CASCADE")]
		}
		commands = append(commands, s.Text[command.Span.Start:attribute.start]+"COLUMN"+rest)
	}
	return Reparse(fmt.Sprintf("ALTER TABLE %s.%s %s", quoted(schema), quoted(name), strings.Join(commands, ", ")))
}
