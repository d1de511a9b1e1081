package facts

// addWriters adds the rows of writers.sql: how long the oldest transaction that is in the way of a foreign key has been in the way of it. Nobody is in the way of
// one to a table that this very transaction made.
func (q *question) addWriters(rows []*row) error {
	for _, r := range rows {
		oid, seconds := r.oid(), r.floatOr(-1)
		if err := r.end(); err != nil {
			return err
		}
		if relation := q.byOID[oid]; relation != nil {
			relation.Busy = seconds
		}
	}
	return nil
}
