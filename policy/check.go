package policy

import (
	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// Relation looks up a relation that the statement names. When known is false nobody knows whether it exists; a nil relation that is known
// does not exist, and the server will say so better than a rule could. One that the body around the statement makes is new.
func (c *Check) Relation(name ddl.Name) (relation *facts.Relation, known bool) {
	if made := c.Context.Inside.made[facts.Key(name.Schema, name.Name)]; made != nil {
		return made, true
	}
	relation, known = c.Facts.Relations[facts.Key(name.Schema, name.Name)]
	return relation, known && c.Facts.Known
}

// Light reports whether a relation can be scanned, rewritten or built on without anybody noticing: it is temporary, made by this
// very transaction, empty, or small. An estimate of rows that is not known decides nothing; a size that is not known does.
func (c *Check) Light(r *facts.Relation) bool {
	if r.Persistence == "t" || r.CreatedHere && !r.Adopted {
		return true
	}
	if r.Foreign {
		return false
	}
	return r.Empty || r.Bytes >= 0 && r.Bytes <= c.Small.Bytes && r.Rows <= float64(c.Small.Rows)
}
