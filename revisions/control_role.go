package revisions

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// controlRole is the login of the proxies; the zero value is none.
type controlRole struct {
	OID        uint32 `json:"oid"`
	Name       string `json:"name"`
	Identifier string `json:"identifier"` // the name, quoted
}

func (c controlRole) oid() string { return strconv.FormatUint(uint64(c.OID), 10) }

// controlRole looks up the role that is to be the control role.
func (i *installation) controlRole(ctx context.Context, opts InstallOptions, before state) (controlRole, error) {
	roles, err := queryRows[controlRole](ctx, i.conn, `
		SELECT pg_catalog.json_build_object('oid', r.oid::bigint, 'name', r.rolname, 'identifier', pg_catalog.quote_ident(r.rolname))
		FROM pg_catalog.pg_roles AS r
		WHERE CASE WHEN $1::pg_catalog.text OPERATOR(pg_catalog.=) ''
			THEN r.oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
			ELSE r.rolname OPERATOR(pg_catalog.=) $1::pg_catalog.text END`,
		opts.ControlRole, controlRole{OID: before.ControlRole}.oid())
	if err != nil {
		return controlRole{}, fmt.Errorf("cannot look for the control role: %w", err)
	}
	if len(roles) == 0 && opts.ControlRole != "" {
		return controlRole{}, fmt.Errorf("there is no role %q to be the control role: make it by CREATE ROLE … LOGIN", opts.ControlRole)
	}
	if len(roles) == 0 {
		return controlRole{}, nil
	}
	if roles[0].Name == "pgsluice_owner" {
		return controlRole{}, errors.New("pgsluice_owner cannot be the control role: nobody may log in as it")
	}
	return roles[0], nil
}
