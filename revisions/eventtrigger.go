package revisions

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
)

//go:embed sql/event_triggers.sql
var eventTriggersSQL string

//go:embed sql/replacers.sql
var replacersSQL string

// eventTriggers are those that write down every schema change, by name. ALWAYS: also where session_replication_role is replica, with which a superuser would
// switch the others off.
var eventTriggers = []struct{ name, event string }{
	{"pgsluice_changed", "ddl_command_end"},
	{"pgsluice_dropped", "sql_drop"},
}

// eventTrigger is an event trigger of that name as it is there.
type eventTrigger struct {
	Name    string `json:"name"`
	Event   string `json:"event"`
	Enabled string `json:"enabled"` // O, D, R or A
	Ours    bool   `json:"ours"`    // it runs our function, for every command
}

// Watch is how far the server itself writes down schema changes.
type Watch struct {
	// Missing are the event triggers that are not there, and Off those that do not run always.
	Missing, Off []string
	// Foreign are those of our names that run something else.
	Foreign []string
	// Replacers are roles, quoted, that are neither superusers nor this login and could replace what the event triggers run with everybody's schema changes.
	Replacers []string
	// self is this login, quoted, if it could; "" if not, or if it is a superuser.
	self string
}

// On reports whether every schema change is written down.
func (w Watch) On() bool { return len(w.Missing)+len(w.Off)+len(w.Foreign) == 0 }

// None reports whether nothing of it is there.
func (w Watch) None() bool { return len(w.Missing) == len(eventTriggers) }

// ReadWatch asks the catalog, which any login may read.
func ReadWatch(ctx context.Context, conn Asker) (Watch, error) {
	there, err := queryRows[eventTrigger](ctx, conn, eventTriggersSQL)
	if err != nil {
		return Watch{}, fmt.Errorf("cannot list the event triggers: %w", err)
	}
	var w Watch
	for _, wanted := range eventTriggers {
		var found *eventTrigger
		for i := range there {
			if there[i].Name == wanted.name {
				found = &there[i]
			}
		}
		switch {
		case found == nil:
			w.Missing = append(w.Missing, wanted.name)
		case !found.Ours || found.Event != wanted.event:
			w.Foreign = append(w.Foreign, wanted.name)
		case found.Enabled != "A":
			w.Off = append(w.Off, wanted.name)
		}
	}
	type replacer struct {
		Role string `json:"role"`
		Own  bool   `json:"own"`
	}
	replacers, err := queryRows[replacer](ctx, conn, replacersSQL)
	if err != nil {
		return Watch{}, fmt.Errorf("cannot list who may act as the owner of the ledger: %w", err)
	}
	for _, r := range replacers {
		if r.Own {
			w.self = r.Role
			continue
		}
		w.Replacers = append(w.Replacers, r.Role)
	}
	return w, nil
}

// statements make of it what it should be.
func (w Watch) statements() []string {
	var list []string
	for _, wanted := range eventTriggers {
		for _, name := range w.Missing {
			if name == wanted.name {
				list = append(list, fmt.Sprintf("CREATE EVENT TRIGGER %s ON %s EXECUTE FUNCTION pgsluice.note_change()", name, wanted.event))
			}
		}
	}
	for _, name := range append(append([]string{}, w.Missing...), w.Off...) {
		list = append(list, fmt.Sprintf("ALTER EVENT TRIGGER %s ENABLE ALWAYS", name))
	}
	return list
}

// EventTriggerError says that the server does not let the login make, alter or drop event triggers.
type EventTriggerError struct {
	// Statements do it when somebody who may runs them in the same database.
	Statements []string
	Err        error
}

func (e *EventTriggerError) Error() string {
	return fmt.Sprintf("the server does not let this login: %v; whoever may (a superuser, or what the service has in its place) can: %s", e.Err, strings.Join(e.Statements, "; "))
}

// Unwrap is the server's error.
func (e *EventTriggerError) Unwrap() error { return e.Err }

// SetEventTriggers has the server itself write down every schema change, or no longer, in one transaction; the ledger must be installed. What is there already stays as it is. Whether the
// login may is the server's to say: see EventTriggerError. It refuses with ErrUnsafe event triggers of our names that run something else, and roles that could
// replace what ours run, with the rights of whoever changes the schema.
func SetEventTriggers(ctx context.Context, conn Conn, on bool) error {
	i := installation{conn: conn}
	if err := i.commit(ctx, func(ctx context.Context) error { return i.setEventTriggers(ctx, on) }); err != nil {
		if on {
			return fmt.Errorf("cannot have the server write down schema changes: %w", err)
		}
		return fmt.Errorf("cannot remove the event triggers: %w", err)
	}
	return nil
}

func (i *installation) setEventTriggers(ctx context.Context, on bool) error {
	if err := i.settle(ctx); err != nil {
		return err
	}
	watch, err := ReadWatch(ctx, i.conn)
	if err != nil {
		return err
	}
	if len(watch.Foreign) > 0 {
		return fmt.Errorf("%w: event trigger %s runs something else: look at it, then drop or rename it", ErrUnsafe, strings.Join(watch.Foreign, ", "))
	}
	var statements []string
	if on {
		if err := checkInstalled(ctx, i.conn); err != nil {
			return err
		}
		if err := i.checkSafe(ctx); err != nil {
			return err
		}
		statements = watch.statements()
	} else {
		for _, trigger := range eventTriggers {
			statements = append(statements, "DROP EVENT TRIGGER IF EXISTS "+trigger.name)
		}
		if watch.None() {
			return nil
		}
	}
	for _, sql := range statements {
		_, err := i.conn.Exec(ctx, sql)
		if sqlState(err) == "42501" { // insufficient_privilege
			if on {
				// Somebody mightier is to make them: then this login must not be able to replace what they run either.
				statements = append(revocations(watch.Replacers), statements...)
				if watch.self != "" {
					statements = append(revocations([]string{watch.self}), statements...)
				}
			}
			return &EventTriggerError{Statements: statements, Err: err}
		}
		if err != nil {
			return fmt.Errorf("cannot run %q: %w", sql, err)
		}
	}
	if on && len(watch.Replacers) > 0 {
		return fmt.Errorf("%w: %s may act as the owner of the ledger, and so could have code of its own run with everybody's schema changes, a superuser's included: %s",
			ErrUnsafe, strings.Join(watch.Replacers, ", "), strings.Join(revocations(watch.Replacers), "; "))
	}
	return nil
}

// revocations keep roles from replacing what the event triggers run.
func revocations(roles []string) []string {
	var list []string
	for _, role := range roles {
		list = append(list, "REVOKE pgsluice_owner FROM "+role)
	}
	return list
}

// strikeOwnChanges removes what this very transaction, which makes or upgrades the ledger, is written down to have changed.
func (i *installation) strikeOwnChanges(ctx context.Context) error {
	_, err := i.conn.Exec(ctx, `DELETE FROM pgsluice.changes AS c WHERE c.xid OPERATOR(pg_catalog.=) pg_catalog.pg_current_xact_id()`)
	if err != nil {
		return fmt.Errorf("cannot strike the changes of the installation itself: %w", err)
	}
	return nil
}
