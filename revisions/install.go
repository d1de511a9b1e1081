package revisions

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

//go:embed sql/rights.sql
var rightsSQL string

//go:embed sql/owner.sql
var ownerSQL string

//go:embed sql/grants.sql
var grantsSQL string

//go:embed sql/objects.sql
var objectsSQL string

//go:embed sql/trusted.sql
var trustedSQL string

//go:embed catalog.txt
var catalogTXT string

// InstallOptions say what an installation is to be.
type InstallOptions struct {
	// ControlRole is the login of the proxies: it alone, beside superusers, reads the key and works on promises. ""
	// keeps the one of the installation that is there; a new one then has none.
	ControlRole string
	// Published says that every subscriber of a publication FOR ALL TABLES has the ledger already, see ErrPublished.
	Published bool
}

// ErrPublished means that a publication FOR ALL TABLES has subscribers: one that lacks the tables of the ledger stops
// replicating at the first row of them. Install it in the subscribers' databases first, then set InstallOptions.Published.
var ErrPublished = errors.New("the ledger would be published")

// Report says what Install found and did.
type Report struct {
	// From is the version that was there, 0 if none; To is the version that is there now.
	From, To int
	// ControlRole is "" when only superusers may work with the ledger.
	ControlRole string
	// Trusted lists everyone who can read or write the ledger past its functions, most powerful first.
	Trusted []Trusted
	// Notes are sentences about this database that whoever installs should read.
	Notes []string
}

// Trusted is a role that the ledger cannot be defended against.
type Trusted struct {
	Role string `json:"role"`
	Why  string `json:"why"`
}

// MissingRightsError says that the login cannot install the ledger.
type MissingRightsError struct {
	// Statements give it the rights when a superuser runs them in the same database.
	Statements []string
}

func (e *MissingRightsError) Error() string {
	return "this login may not install the ledger; a superuser can let it by: " + strings.Join(e.Statements, "; ")
}

// Install makes the ledger in the connection's database, or brings it up to date, in one transaction; nothing is left
// behind by an error. It can be run again at any time and then also repairs functions and privileges. It refuses with
// ErrUnsafe what somebody else has made under our names, and with ErrNewer the ledger of a newer program. The connection
// must be in no transaction.
func Install(ctx context.Context, conn Conn, opts InstallOptions) (Report, error) {
	schema, err := parseSchema(schemaSQL)
	if err != nil {
		return Report{}, err
	}
	i := installation{conn: conn, schema: schema}
	var report Report
	if err := i.commit(ctx, func(ctx context.Context) error {
		report, err = i.install(ctx, opts)
		return err
	}); err != nil {
		return Report{}, fmt.Errorf("cannot install the ledger: %w", err)
	}
	return report, nil
}

// RotateKey retires the key in use and makes another, whose id it returns. Proxies read it when they open the ledger
// again; what the old key signed before stays good. Rotate after a copy of the database, which carries the key, has
// been given to people who are not to be trusted with this one.
func RotateKey(ctx context.Context, conn Conn) (id int32, err error) {
	i := installation{conn: conn}
	if err := i.commit(ctx, func(ctx context.Context) error {
		id, err = i.rotateKey(ctx)
		return err
	}); err != nil {
		return 0, fmt.Errorf("cannot rotate the key: %w", err)
	}
	return id, nil
}

// installation is one run of Install or RotateKey.
type installation struct {
	conn   Conn
	schema schema
	// role is the setting of that name to go back to after acting as the owner.
	role string
	// member is true when this transaction made the current role a member of pgsluice_owner.
	member bool
}

func (i *installation) commit(ctx context.Context, work func(context.Context) error) error {
	err := i.conn.InTx(ctx, work)
	if state := sqlState(err); state == "23505" || state == "42710" {
		// unique_violation, duplicate_object: an installation in another database of the cluster made the role meanwhile.
		err = i.conn.InTx(ctx, work)
	}
	return err
}

func (i *installation) install(ctx context.Context, opts InstallOptions) (Report, error) {
	if err := i.settle(ctx); err != nil {
		return Report{}, err
	}
	if err := i.checkSafe(ctx); err != nil {
		return Report{}, err
	}
	if err := i.checkRights(ctx); err != nil {
		return Report{}, err
	}
	if err := i.makeOwner(ctx); err != nil {
		return Report{}, err
	}
	fresh, err := i.makeSchema(ctx)
	if err != nil {
		return Report{}, err
	}
	if fresh && !opts.Published {
		if err := i.checkPublications(ctx); err != nil {
			return Report{}, err
		}
	}

	if err := i.actAsOwner(ctx); err != nil {
		return Report{}, err
	}
	var before state
	if !fresh {
		if before, err = i.found(ctx); err != nil {
			return Report{}, err
		}
	}
	control, err := i.controlRole(ctx, opts, before)
	if err != nil {
		return Report{}, err
	}
	if err := i.upgrade(ctx, before.Version, control); err != nil {
		return Report{}, err
	}
	now, err := i.record(ctx, control)
	if err != nil {
		return Report{}, err
	}
	if err := i.keepKey(ctx, now.home()); err != nil {
		return Report{}, err
	}
	if err := i.actAsOurselves(ctx); err != nil {
		return Report{}, err
	}

	if err := i.checkResult(ctx, control); err != nil {
		return Report{}, err
	}
	return i.report(ctx, before, control)
}

func (i *installation) rotateKey(ctx context.Context) (int32, error) {
	if err := i.settle(ctx); err != nil {
		return 0, err
	}
	if exists, err := exists(ctx, i.conn); err != nil || !exists {
		return 0, errors.Join(err, notInstalled(exists))
	}
	if err := i.checkSafe(ctx); err != nil {
		return 0, err
	}
	if err := i.checkRights(ctx); err != nil {
		return 0, err
	}
	if err := i.makeOwner(ctx); err != nil {
		return 0, err
	}
	if err := i.actAsOwner(ctx); err != nil {
		return 0, err
	}
	state, err := queryRow[state](ctx, i.conn, stateSQL)
	if err != nil {
		return 0, err
	}
	if err := state.check(); err != nil {
		return 0, err
	}
	id, err := replaceKey(ctx, i.conn, state.home())
	if err != nil {
		return 0, err
	}
	return id, i.actAsOurselves(ctx)
}

// settle fixes what the SQL of an installation depends on, for this transaction, and lets one installation of a
// database run at a time.
func (i *installation) settle(ctx context.Context) error {
	for _, sql := range []string{
		"SET LOCAL search_path = pg_catalog, pg_temp",
		"SET LOCAL standard_conforming_strings = on",
		"SET LOCAL check_function_bodies = on",
		"SET LOCAL default_tablespace = ''",
		"SET LOCAL default_table_access_method = 'heap'",
		"SET LOCAL row_security = on",
		"SET LOCAL client_min_messages = 'warning'",
		"SET LOCAL lock_timeout = '10s'",
	} {
		if _, err := i.conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	if _, err := i.conn.Query(ctx, "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('pgsluice install', 0))"); err != nil {
		return fmt.Errorf("cannot get the advisory lock of installations (who holds it is in pg_locks): %w", err)
	}
	return nil
}

func (i *installation) checkSafe(ctx context.Context) error {
	return checkSafe(ctx, i.conn, "install")
}

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
	for _, sql := range statements {
		if _, err := i.conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("cannot run %q: %w", sql, err)
		}
		i.member = i.member || sql == "GRANT pgsluice_owner TO CURRENT_USER"
	}
	return nil
}

// makeSchema makes the schema if there is none, and reports whether it did.
func (i *installation) makeSchema(ctx context.Context) (fresh bool, err error) {
	there, err := exists(ctx, i.conn)
	if err != nil {
		return false, err
	}
	if !there {
		_, err := i.conn.Exec(ctx, "CREATE SCHEMA pgsluice AUTHORIZATION pgsluice_owner")
		return true, err
	}
	return false, i.checkSafe(ctx) // it may have appeared since we looked
}

// found reads the state of the ledger that is there.
func (i *installation) found(ctx context.Context) (state, error) {
	found, err := queryRow[state](ctx, i.conn, stateSQL)
	if err != nil {
		return state{}, fmt.Errorf("cannot read the ledger that is there: %w", err)
	}
	if found.Version > len(i.schema.versions) {
		return state{}, found.errNewer()
	}
	if found.Version < 1 {
		return state{}, fmt.Errorf("%w: pgsluice.installation is empty: drop the schema pgsluice if nothing is pending in it", ErrUnsafe)
	}
	return found, nil
}

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

// upgrade makes tables, functions and privileges what this program expects, from whatever version is there.
func (i *installation) upgrade(ctx context.Context, from int, control controlRole) error {
	var statements []string
	for _, version := range i.schema.versions[from:] {
		statements = append(statements, version...)
	}
	statements = append(statements, i.schema.functions...)
	if err := i.execAll(ctx, statements); err != nil {
		return err
	}

	if err := i.revokeAll(ctx); err != nil {
		return err
	}
	statements = slices.Clone(i.schema.grants)
	if control.OID != 0 {
		for _, sql := range i.schema.controlRole {
			statements = append(statements, strings.ReplaceAll(sql, "{control}", control.Identifier))
		}
	}
	return i.execAll(ctx, statements)
}

func (i *installation) execAll(ctx context.Context, statements []string) error {
	for _, sql := range statements {
		if _, err := i.conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("cannot run %.60q …: %w", sql, err)
		}
	}
	return nil
}

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

// record writes down the version and the control role, and returns the state as it is then.
func (i *installation) record(ctx context.Context, control controlRole) (state, error) {
	if _, err := i.conn.Exec(ctx, `
		INSERT INTO pgsluice.installation AS i (system_identifier, database_oid, version, control_role)
		SELECT s.system_identifier, d.oid, $1::integer, $2::pg_catalog.oid
		FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_database AS d
		WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
		ON CONFLICT (system_identifier, database_oid) DO UPDATE
		SET version = excluded.version, control_role = excluded.control_role,
			upgraded = CASE WHEN i.version OPERATOR(pg_catalog.=) excluded.version THEN i.upgraded ELSE excluded.upgraded END`,
		strconv.Itoa(len(i.schema.versions)), control.oid()); err != nil {
		return state{}, err
	}
	return queryRow[state](ctx, i.conn, stateSQL)
}

// keepKey makes a key if there is none in use, and deletes those that nobody needs.
func (i *installation) keepKey(ctx context.Context, home Home) error {
	keys, err := readKeys(ctx, i.conn, home)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, Key.inUse) {
		if _, err := makeKey(ctx, i.conn, home); err != nil {
			return err
		}
	}
	return pruneKeys(ctx, i.conn, home)
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

func (i *installation) report(ctx context.Context, before state, control controlRole) (Report, error) {
	trusted, err := queryRows[Trusted](ctx, i.conn, trustedSQL, control.oid())
	if err != nil {
		return Report{}, fmt.Errorf("cannot list who is trusted: %w", err)
	}
	report := Report{From: before.Version, To: len(i.schema.versions), ControlRole: control.Name, Trusted: trusted, Notes: []string{
		"Dump data with pg_dump -N pgsluice: only a superuser's pg_dump may read the ledger, and then the dump holds its key. pg_dump -s needs no option.",
	}}
	publications, err := i.publications(ctx)
	if err != nil {
		return Report{}, err
	}
	if len(publications) > 0 {
		report.Notes = append(report.Notes, fmt.Sprintf(
			"Publication %s publishes the ledger too, with its key: whoever subscribes needs the ledger and is to be trusted.",
			strings.Join(publications, ", ")))
	}
	return report, nil
}

func (i *installation) publications(ctx context.Context) ([]string, error) {
	publications, err := i.conn.Query(ctx, `
		SELECT pg_catalog.quote_ident(p.pubname)
		FROM pg_catalog.pg_publication AS p
		WHERE p.puballtables
		ORDER BY p.pubname`)
	if err != nil {
		return nil, fmt.Errorf("cannot list the publications: %w", err)
	}
	return publications, nil
}

// checkPublications returns ErrPublished if somebody receives every new table of this database.
func (i *installation) checkPublications(ctx context.Context) error {
	publications, err := i.publications(ctx)
	if err != nil || len(publications) == 0 {
		return err
	}
	slots, err := i.conn.Query(ctx, `
		SELECT pg_catalog.quote_ident(s.slot_name)
		FROM pg_catalog.pg_replication_slots AS s
		WHERE s.database OPERATOR(pg_catalog.=) pg_catalog.current_database()
			AND s.plugin OPERATOR(pg_catalog.=) 'pgoutput'
		ORDER BY s.slot_name`)
	if err != nil {
		return fmt.Errorf("cannot list the replication slots: %w", err)
	}
	if len(slots) == 0 {
		return nil
	}
	return fmt.Errorf("%w by %s (slots: %s): subscribers without the ledger would stop; install it in their databases first, then here with --published",
		ErrPublished, strings.Join(publications, ", "), strings.Join(slots, ", "))
}
