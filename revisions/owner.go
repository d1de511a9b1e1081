package revisions

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
)

//go:embed sql/rights.sql
var rightsSQL string

//go:embed sql/owner.sql
var ownerSQL string

// MissingRightsError says that the login cannot install the ledger.
type MissingRightsError struct {
	// Statements give it the rights when a superuser runs them in the same database.
	Statements []string
}

func (e *MissingRightsError) Error() string {
	return "this login may not install the ledger; a superuser can let it by: " + strings.Join(e.Statements, "; ")
}

// checkRights returns a MissingRightsError if the current role cannot do what comes next.
func (i *installation) checkRights(ctx context.Context) error {
	missing, err := i.conn.Query(ctx, rightsSQL)
	if err != nil {
		return fmt.Errorf("cannot read the rights of this login: %w", err)
	}
	if len(missing) > 0 {
		return &MissingRightsError{Statements: missing}
	}
	return nil
}

// makeOwner makes the role pgsluice_owner and the current role a member of it, as far as they are not.
func (i *installation) makeOwner(ctx context.Context) error {
	statements, err := i.conn.Query(ctx, ownerSQL)
	if err != nil {
		return fmt.Errorf("cannot look for the role pgsluice_owner: %w", err)
	}
	i.member = false
	for _, sql := range statements {
		if _, err := i.conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("cannot run %q: %w", sql, err)
		}
		i.member = i.member || sql == "GRANT pgsluice_owner TO CURRENT_USER"
	}
	return nil
}

// actAsOwner gives what follows, up to actAsOurselves, the rights of the owner and no more, and its objects to the owner.
func (i *installation) actAsOwner(ctx context.Context) error {
	roles, err := i.conn.Query(ctx, "SELECT pg_catalog.current_setting('role')")
	if err != nil {
		return err
	}
	i.role = roles[0]
	_, err = i.conn.Exec(ctx, "SET LOCAL ROLE pgsluice_owner")
	return err
}

func (i *installation) actAsOurselves(ctx context.Context) error {
	if _, err := i.conn.Query(ctx, "SELECT pg_catalog.set_config('role', $1, true)", i.role); err != nil {
		return err
	}
	if !i.member {
		return nil
	}
	i.member = false
	_, err := i.conn.Exec(ctx, "REVOKE pgsluice_owner FROM CURRENT_USER")
	return err
}
