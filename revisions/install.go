package revisions

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// InstallOptions say what an installation is to be.
type InstallOptions struct {
	// ControlRole is the login of the proxies: it alone, beside superusers, reads the key and works on promises. ""
	// keeps the one of the installation that is there; a new one then has none.
	ControlRole string
	// Published says that every subscriber of a publication FOR ALL TABLES has the ledger already, see ErrPublished.
	Published bool
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
	if status := i.conn.TxStatus(); status != 'I' {
		return fmt.Errorf("the connection is in a transaction (status %c)", status)
	}
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
	if err := i.strikeOwnChanges(ctx); err != nil {
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
	if err := checkInstalled(ctx, i.conn); err != nil {
		return 0, err
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
		"SET LOCAL client_encoding = 'UTF8'",
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

// makeSchema makes the schema if there is none, and reports whether it did.
func (i *installation) makeSchema(ctx context.Context) (fresh bool, err error) {
	there, err := exists(ctx, i.conn)
	if err != nil {
		return false, err
	}
	if there {
		return false, i.checkSafe(ctx) // it may have appeared since we looked
	}
	if _, err := i.conn.Exec(ctx, "CREATE SCHEMA pgsluice AUTHORIZATION pgsluice_owner"); err != nil {
		return false, fmt.Errorf("cannot make the schema pgsluice: %w", err)
	}
	return true, nil
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
		return state{}, fmt.Errorf("cannot write down the version: %w", err)
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
