package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed privilege-widened.sql
var privilegeWidenedCases string

// privilegeWidened: a door that is wider than it needs to be.
func privilegeWidened() policy.Rule {
	return policy.Rule{
		Name:  "privilege-widened",
		Title: "Privilege for everybody, or for everything",
		Doc: `GRANT … TO PUBLIC gives every login of the server the privilege, those of other applications included. GRANT ALL gives what nobody asked for
(TRUNCATE, REFERENCES, TRIGGER; CREATE on a schema). Membership in roles like pg_write_all_data or pg_execute_server_program is close to
being superuser.

Name the role and the privileges. GRANT takes no lock that anybody waits for; two at a time on one object fail with "tuple concurrently updated".
Functions and types are open to PUBLIC from the start: for them it is no finding, nor is REVOKE.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   privilegeWidenedCases,
		Run:     runPrivilegeWidened,
	}
}

func runPrivilegeWidened(c *policy.Check) {
	utility, ok := c.Stmt.Action.(ddl.Utility)
	if !ok {
		return
	}
	switch c.Stmt.Tag {
	case "GRANT":
		switch utility.Object {
		case "FUNCTION", "PROCEDURE", "ROUTINE", "TYPE", "DOMAIN", "LANGUAGE":
			return
		}
		what := strings.ToUpper(strings.Join(utility.Privileges, ", "))
		if what == "" {
			what = "ALL"
		}
		switch {
		case slices.Contains(utility.Grantees, "public"):
			c.Report(policy.Finding{Message: fmt.Sprintf("GRANT %s%s TO PUBLIC gives it to every login of the server; name the role", what, on(c))})
		case len(utility.Privileges) == 0:
			c.Report(policy.Finding{
				Message: fmt.Sprintf("GRANT ALL%s gives %s more than it needs; name the privileges%s", on(c), enumerated(utility.Grantees), usualPrivileges[utility.Object]),
			})
		}
	case "ALTER DEFAULT PRIVILEGES":
		if slices.Contains(utility.Grantees, "public") && slices.Contains([]ddl.ObjectKind{"TABLE", "SEQUENCE", "SCHEMA"}, utility.Object) {
			c.Report(policy.Finding{Message: fmt.Sprintf("GRANT TO PUBLIC by default gives every %s that is made from now on to every login of the server; name the role",
				strings.ToLower(string(utility.Object)))})
		}
	case "GRANT ROLE":
		for _, role := range utility.Privileges {
			if slices.Contains(powerful, role) {
				c.Report(policy.Finding{
					Message: fmt.Sprintf("GRANT %s makes %s nearly a superuser; grant privileges on the objects that are needed", role, enumerated(utility.Grantees)),
				})
				return
			}
		}
	}
}

// usualPrivileges are what applications need.
var usualPrivileges = map[ddl.ObjectKind]string{
	"TABLE": ", as in GRANT SELECT, INSERT, UPDATE, DELETE", "SCHEMA": ", as in GRANT USAGE", "SEQUENCE": ", as in GRANT USAGE", "DATABASE": ", as in GRANT CONNECT",
}

// on names the relations of a GRANT, "" if it is about others.
func on(c *policy.Check) string {
	var names []string
	for _, ref := range c.Stmt.Refs {
		names = append(names, shown(ref.Name))
	}
	if len(names) == 0 {
		return ""
	}
	return " ON " + enumerated(names)
}

// powerful are the server's own roles whose members can reach all data, or the machine.
var powerful = []string{
	"pg_database_owner", "pg_execute_server_program", "pg_maintain", "pg_read_all_data", "pg_read_server_files", "pg_write_all_data",
	"pg_write_server_files",
}
