package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pgsluice/pgsluice/rewrite"
)

// maintenanceClass is the first key of the advisory locks, one for each table, under which plans take turns; the second is the
// table's OID. It spells "pgsl", and the upper half of the lock of whose turn it is to migrate a database is the same.
const maintenanceClass = "1885827948"

// turn runs f while no other plan, of whichever proxy, and nobody else works on the table with a lock of SHARE UPDATE EXCLUSIVE or
// stronger: two such steps that wait for each other inside the server deadlock. It never waits for a lock and holds no snapshot.
func (w *work) turn(ctx context.Context, table rewrite.Target, f func() error) (err error) {
	if table.OID == 0 {
		return f()
	}
	defer func() {
		if left := w.leave(ctx, table); left != nil {
			err = errors.Join(err, fmt.Errorf("cannot give the maintenance lock back: %w", left))
		}
	}()
	taken, err := w.wait(ctx, func() string {
		return fmt.Sprintf("pgsluice: waiting for another schema change on %s", quote(table.Schema, table.Name))
	}, func() (bool, error) {
		answer, err := ask(ctx, w.Conn, `SELECT pg_catalog.pg_try_advisory_lock($1::pg_catalog.int4, $2::pg_catalog.int4)`,
			maintenanceClass, advisoryKey(table.OID))
		return answer == "t", err
	})
	if err != nil {
		return err
	}
	if !taken {
		return w.crowded(ctx, table)
	}
	if err := w.quiet(ctx, table); err != nil {
		return err
	}
	return f()
}

// leave gives the maintenance lock back. It asks whether we have it, because a cancel can end the statement that took it.
func (w *work) leave(ctx context.Context, table rewrite.Target) error {
	return w.persist(ctx, func(ctx context.Context) error {
		_, err := w.Conn.Exec(ctx, `SELECT pg_catalog.pg_advisory_unlock($1::pg_catalog.int4, $2::pg_catalog.int4)
			FROM pg_catalog.pg_locks AS l
			WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
			AND l.classid OPERATOR(pg_catalog.=) $1::pg_catalog.int4::pg_catalog.oid AND l.objsubid OPERATOR(pg_catalog.=) 2
			AND l.objid OPERATOR(pg_catalog.=) $2::pg_catalog.int4::pg_catalog.oid
			AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database AS d
				WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())`,
			maintenanceClass, advisoryKey(table.OID))
		return err
	})
}

// quiet waits until nobody has or awaits a lock on the table that a build would wait for inside the server.
func (w *work) quiet(ctx context.Context, table rewrite.Target) error {
	var inTheWay []Blocker
	quiet, err := w.wait(ctx, func() string {
		return fmt.Sprintf("pgsluice: waiting until %s is free: %s", quote(table.Schema, table.Name), inTheWay[0].full())
	}, func() (bool, error) {
		found, err := w.busy(ctx, table.OID)
		inTheWay = found
		return len(found) == 0, err
	})
	if err != nil {
		return err
	}
	if !quiet {
		return w.crowded(ctx, table)
	}
	return nil
}

// crowded is the failure of a step whose turn did not come.
func (w *work) crowded(ctx context.Context, table rewrite.Target) error {
	found, err := w.busy(ctx, table.OID)
	if err != nil {
		return err
	}
	found = w.readable(ctx, found)
	w.note(found)
	name := quote(table.Schema, table.Name)
	message := fmt.Sprintf("pgsluice: other work on %s did not end within %s", name, w.turnBudget())
	if len(found) > 0 {
		message += ": " + found[0].brief()
	}
	return &Failure{
		Code:    lockNotAvailable,
		Message: message,
		Detail:  detail(found),
		Hint:    "Only one schema change works on a table at a time. Run this again when the other one has ended.",
	}
}

// outlive waits until the old transactions that are open now, and that a build would wait for, have ended. A build that waits inside the server has
// left an INVALID index already, which every write pays for.
func (w *work) outlive(ctx context.Context, table rewrite.Target) error {
	if w.Watch == nil {
		return nil
	}
	var old []Blocker
	first := true
	over, err := w.wait(ctx, func() string {
		return fmt.Sprintf("pgsluice: before building on %s, waiting for %s: %s", quote(table.Schema, table.Name),
			plural(len(old), "old transaction", "old transactions"), old[0].full())
	}, func() (bool, error) {
		now, err := w.Watch.Old(ctx, w.session.PID, table.OID, w.Options.oldTransaction())
		if err != nil {
			return true, nil // The build waits for them all the same.
		}
		if first {
			old, first = now, false
			w.note(old)
		}
		old = slices.DeleteFunc(old, func(b Blocker) bool {
			return !slices.ContainsFunc(now, func(still Blocker) bool { return still.Transaction == b.Transaction })
		})
		return len(old) == 0, nil
	})
	if err != nil || over {
		return err
	}
	old = w.readable(ctx, old)
	return &Failure{
		Code: lockNotAvailable,
		Message: fmt.Sprintf("pgsluice: nothing was built on %s: a transaction older than the build did not end within %s: %s",
			quote(table.Schema, table.Name), w.turnBudget(), old[0].brief()),
		Detail: detail(old),
		Hint:   advice(old),
	}
}

// advisoryKey is an OID as the int4 that advisory locks take.
func advisoryKey(oid uint32) string { return strconv.FormatInt(int64(int32(oid)), 10) }

// quote is a qualified name for SQL and for people.
func quote(schema, name string) string { return ident(schema) + "." + ident(name) }

func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
