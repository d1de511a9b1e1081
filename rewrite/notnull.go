package rewrite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// setNotNull takes SET NOT NULL apart.
func (a *alteration) setNotNull(command int, column string) error {
	if slices.Contains(a.filled, column) {
		a.now[command] = nil
		return a.notNull(command, column, true)
	}
	if a.isNew(column) {
		return nil // the column has its value, or the server says that it has not
	}
	if a.alter.Only && a.table.Descendants > 0 {
		return fmt.Errorf("leave ONLY out: %q has partitions or children, and NOT NULL is theirs, too", a.table.Name)
	}
	if !a.mayBeNull(column) {
		a.stays = a.stays || !a.table.Column(column).NotNull
		return nil
	}
	a.now[command] = nil
	return a.notNull(command, column, false)
}

// mayBeNull reports whether the server would have to read the table to know that the column has no NULL.
func (a *alteration) mayBeNull(column string) bool {
	c := a.table.Column(column)
	switch {
	case c == nil:
		return true
	case c.NotNull:
		return a.unprovenNotNull(column) != ""
	}
	proof := a.table.NotNullProof(column, a.dropped())
	return proof == nil || !proof.Validated
}

// unprovenNotNull is the name of the column's NOT NULL constraint while it is NOT VALID, which 18 knows; "" for none.
func (a *alteration) unprovenNotNull(column string) string {
	for _, k := range a.table.Constraints {
		if k.Type == "n" && !k.Validated && slices.Equal(k.Columns, []string{column}) {
			return k.Name
		}
	}
	return ""
}

// dropped are the constraints that the statement drops, which prove nothing in it, and helpers of other plans, which may go at any time.
func (a *alteration) dropped() []string {
	var names []string
	for _, k := range a.table.Constraints {
		if strings.HasPrefix(k.Name, HelperPrefix) {
			names = append(names, k.Name)
		}
	}
	for _, c := range a.alter.Commands {
		if c.Op == "DropConstraint" {
			names = append(names, c.Name)
		}
	}
	return names
}

// notNull makes a column NOT NULL without reading the table under a lock: what no new row may break is added NOT VALID, by the command at
// that index or, later, behind the values of the rows; it is validated; and then the server needs no scan any more.
func (a *alteration) notNull(command int, column string, later bool) error {
	if !later && a.looksAt([]string{column}) {
		a.dataChecks = append(a.dataChecks, DataCheck{
			SQL:  anyRow("Rows that exist have none.", quote(a.table.Schema, a.table.Name), quote(column)+" IS NULL"),
			Code: "23502", Message: fmt.Sprintf("column %q of relation %q contains null values", column, a.table.Name),
		})
	}
	a.notNulls = append(a.notNulls, column)
	a.notices = append(a.notices, fmt.Sprintf("checking that %q of %q has no NULL before making it NOT NULL", column, a.table.Name))
	set := a.afterwards("ALTER COLUMN "+quote(column)+" SET NOT NULL", columnIs(a.table.OID, column, "a.attnotnull"), column)
	if name := a.unprovenNotNull(column); name != "" {
		a.stays = true
		a.proofs = append(a.proofs, validation(a.table, name, []string{column}))
		return nil
	}
	if proof := a.table.NotNullProof(column, a.dropped()); proof != nil {
		a.stays = true
		a.proofs = append(a.proofs, validation(a.table, proof.Name, []string{column}), set)
		return nil
	}
	if !later {
		a.undo = append(a.undo, "ALTER COLUMN "+quote(column)+" DROP NOT NULL")
	}
	if a.known.Version >= 180000 {
		return a.namedNotNull(command, column, later)
	}
	helper := a.helper(column)
	add := "ADD CONSTRAINT " + quote(helper) + " CHECK (" + quote(column) + " IS NOT NULL) NOT VALID"
	done := columnIs(a.table.OID, column, "a.attnotnull")
	if later {
		step := a.afterwards(add, either(done, constraintIs(a.table.OID, helper, "")), column)
		step.Helpers = []Helper{{Name: helper}}
		a.proofs = append(a.proofs, step)
	} else {
		a.now[command] = append(a.now[command], ddl.Command{SQL: add})
		a.helpers = append(a.helpers, Helper{Name: helper})
		a.undoConstraint(helper)
	}
	check := validation(a.table, helper, []string{column})
	check.Done = either(done, check.Done)
	// In one ALTER TABLE the drop would come first, and the table would be read after all.
	set.Then = []string{altering(a.table.Schema, a.table.Name, "DROP CONSTRAINT "+quote(helper))}
	set.Helpers = []Helper{{Name: helper, Drop: true}}
	set.Done = "SELECT (" + done + ") AND NOT (" + constraintIs(a.table.OID, helper, "") + ")"
	a.proofs = append(a.proofs, check, set)
	return nil
}

// namedNotNull adds the constraint by the name that SET NOT NULL would give it, which a server since 18 lets be NOT VALID.
func (a *alteration) namedNotNull(command int, column string, later bool) error {
	name, err := facts.NotNullName(a.table, column, a.names)
	if err != nil {
		return err
	}
	add := ddl.Command{
		SQL:   "ADD CONSTRAINT " + quote(name) + " NOT NULL " + quote(column) + " NOT VALID",
		Stand: "ADD CONSTRAINT " + quote(name) + " CHECK (" + quote(column) + " IS NOT NULL) NOT VALID",
	}
	if later {
		a.proofs = append(a.proofs, a.afterwards(add.SQL, columnIs(a.table.OID, column, "a.attnotnull"), column))
	} else {
		a.now[command] = append(a.now[command], add)
	}
	a.proofs = append(a.proofs, validation(a.table, name, []string{column}))
	return nil
}

// helper is a free name for the check that proves a column NOT NULL.
func (a *alteration) helper(column string) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(a.table.Constraints, func(k facts.Constraint) bool { return k.Name == name }) ||
			slices.ContainsFunc(a.made, func(h Helper) bool { return h.Name == name })
	}
	const label = "_not_null"
	name := ""
	for n := 0; name == "" || taken(name); n++ {
		number := ""
		if n > 0 {
			number = strconv.Itoa(n)
		}
		room := 63 - len(HelperPrefix) - len(label) - len(number)
		name = HelperPrefix + strings.ToValidUTF8(column[:min(len(column), room)], "") + label + number
	}
	a.made = append(a.made, Helper{Name: name})
	return name
}
