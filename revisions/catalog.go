package revisions

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed sql/grants.sql
var grantsSQL string

//go:embed sql/objects.sql
var objectsSQL string

//go:embed catalog.txt
var catalogTXT string

// grant is a privilege that somebody other than the owner has.
type grant struct {
	Object    string `json:"object"` // kind and quoted name, as GRANT … ON takes it
	Privilege string `json:"privilege"`
	Grantee   string `json:"grantee"` // quoted, or PUBLIC
	Control   bool   `json:"control"` // the grantee is the control role
}

func (g grant) String() string {
	grantee := g.Grantee
	if g.Control {
		grantee = "the control role"
	}
	return fmt.Sprintf("grant %s on %s to %s", g.Privilege, g.Object, grantee)
}

// revokeAll takes every privilege from everyone, those of ALTER DEFAULT PRIVILEGES included.
func (i *installation) revokeAll(ctx context.Context) error {
	grants, err := queryRows[grant](ctx, i.conn, grantsSQL, "0")
	if err != nil {
		return fmt.Errorf("cannot read the privileges on the ledger: %w", err)
	}
	for _, g := range grants {
		if _, err := i.conn.Exec(ctx, fmt.Sprintf("REVOKE ALL ON %s FROM %s CASCADE", g.Object, g.Grantee)); err != nil {
			return fmt.Errorf("cannot revoke the privileges of %s on %s: %w", g.Grantee, g.Object, err)
		}
	}
	return nil
}

// checkResult compares objects and privileges, whoever made them so, with what this program expects.
func (i *installation) checkResult(ctx context.Context, control controlRole) error {
	if err := i.checkSafe(ctx); err != nil {
		return err
	}
	got, err := i.catalog(ctx, control)
	if err != nil {
		return err
	}
	want := strings.Split(strings.TrimSpace(catalogTXT), "\n")
	if control.OID == 0 {
		want = slices.DeleteFunc(want, func(line string) bool { return strings.Contains(line, "to the control role") })
	}
	var off []string
	for _, line := range got {
		if !slices.Contains(want, line) {
			off = append(off, "there is: "+line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			off = append(off, "missing: "+line)
		}
	}
	if len(off) > 0 {
		return fmt.Errorf("%w: after the installation the schema pgsluice is not what it has to be: %s", ErrUnsafe, strings.Join(off, "; "))
	}
	return nil
}

// catalog lists the objects of the schema and the privileges on them, a line each.
func (i *installation) catalog(ctx context.Context, control controlRole) ([]string, error) {
	lines, err := i.conn.Query(ctx, objectsSQL, control.oid())
	if err != nil {
		return nil, fmt.Errorf("cannot list the objects of the ledger: %w", err)
	}
	grants, err := queryRows[grant](ctx, i.conn, grantsSQL, control.oid())
	if err != nil {
		return nil, fmt.Errorf("cannot read the privileges on the ledger: %w", err)
	}
	for _, g := range grants {
		lines = append(lines, g.String())
	}
	return lines, nil
}
