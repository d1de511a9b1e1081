package ddl

// Referenced are the tables that the foreign keys which a statement adds reference, as it writes them.
func Referenced(s Statement) []Name {
	var tables []Name
	add := func(constraints ...Constraint) {
		for _, k := range constraints {
			if k.Type == ForeignKey {
				tables = append(tables, k.Parent)
			}
		}
	}
	switch action := s.Action.(type) {
	case CreateTable:
		return action.Parents
	case AlterTable:
		for _, command := range action.Commands {
			if command.Op == "AddConstraint" && command.Constraint != nil {
				add(*command.Constraint)
			}
			if command.Op == "AddColumn" && command.Column != nil {
				add(command.Column.Constraints...)
			}
		}
	}
	return tables
}
