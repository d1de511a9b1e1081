package ddl

import "strings"

// DefaultTexts are the string constants that are the defaults of columns which a statement makes, each with the column's type.
func DefaultTexts(s Statement) []Cast {
	var texts []Cast
	add := func(column Column) {
		written := s.Text[column.Default.Start:column.Default.End]
		if value, isText := strings.CutPrefix(written, "'"); isText && strings.HasSuffix(value, "'") {
			texts = append(texts, Cast{Type: column.TypeName(), Value: strings.ReplaceAll(value[:len(value)-1], "''", "'")})
		}
	}
	switch action := s.Action.(type) {
	case CreateTable:
		for _, column := range action.Columns {
			add(column)
		}
	case AlterTable:
		for _, command := range action.Commands {
			if command.Op == "AddColumn" && command.Column != nil {
				add(*command.Column)
			}
		}
	}
	return texts
}
