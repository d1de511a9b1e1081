package facts

import (
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// HelperPrefix begins the name of every constraint that pgsluice makes for itself, so that nothing else is ever taken for one.
const HelperPrefix = "pgsluice_"

// NotNullProof is a check constraint that proves that the column has no NULL, or would once it is validated: then SET NOT NULL need not read
// the table. A valid one comes first; nil if there is none. Those named in without do not count. It needs
// Wanted.Definitions.
func (r *Relation) NotNullProof(column string, without []string) *Constraint {
	var proof *Constraint
	for i := range r.Constraints {
		k := &r.Constraints[i]
		if k.Type != "c" || k.NoInherit && r.Descendants > 0 || slices.Contains(without, k.Name) {
			continue
		}
		if (proof == nil || k.Validated && !proof.Validated) && k.Definition != "" && ddl.ProvesNotNull(k.Definition, column) {
			proof = k
		}
	}
	return proof
}
