package ddl

// RefusesTransaction reports whether the server refuses the statement inside a transaction block, whatever it is about
// (PreventInTransactionBlock). Where the catalog decides it is false.
func RefusesTransaction(s Statement) bool {
	switch action := s.Action.(type) {
	case CreateIndex:
		return action.Concurrently
	case Drop:
		return action.Concurrently || action.Object == "DATABASE" || action.Object == "TABLESPACE"
	case AlterTable:
		for _, command := range action.Commands {
			if command.Concurrently {
				return true
			}
		}
	case Utility:
		return action.NotInTransaction
	}
	return false
}
