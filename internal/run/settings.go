package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/pgsluice/pgsluice/revisions"
)

// Session is what a plan must know of the connection that it runs on.
type Session struct {
	PID     int
	Version int // server_version_num
	// The session's own timeouts; 0 is none.
	LockTimeout, StatementTimeout time.Duration
	// TransactionTimeout is there from 17 on.
	TransactionTimeout time.Duration
	DeadlockTimeout    time.Duration
}

const readSession = `SELECT pg_catalog.concat_ws(' ', pg_catalog.pg_backend_pid(), pg_catalog.current_setting('server_version_num'),
	pg_catalog.date_part('epoch', pg_catalog.current_setting('lock_timeout')::pg_catalog.interval),
	pg_catalog.date_part('epoch', pg_catalog.current_setting('statement_timeout')::pg_catalog.interval),
	pg_catalog.date_part('epoch', pg_catalog.current_setting('deadlock_timeout')::pg_catalog.interval),
	COALESCE(pg_catalog.date_part('epoch', pg_catalog.current_setting('transaction_timeout', true)::pg_catalog.interval), 0))`

func ask(ctx context.Context, conn Conn, sql string, args ...string) (string, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return "", err
	}
	if len(rows) != 1 {
		return "", fmt.Errorf("the server answered %d rows instead of one", len(rows))
	}
	return rows[0], nil
}

func (w *work) readSession(ctx context.Context) error {
	if w.Options.Session.PID != 0 {
		w.session = w.Options.Session
		return nil
	}
	answer, err := ask(ctx, w.Conn, readSession)
	if err != nil {
		return err
	}
	var lock, statement, deadlock, transaction float64
	if _, err := fmt.Sscan(answer, &w.session.PID, &w.session.Version, &lock, &statement, &deadlock, &transaction); err != nil {
		return fmt.Errorf("cannot read the session's settings %q: %w", answer, err)
	}
	w.session.LockTimeout = seconds(lock)
	w.session.StatementTimeout = seconds(statement)
	w.session.DeadlockTimeout = seconds(deadlock)
	w.session.TransactionTimeout = seconds(transaction)
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// milliseconds is how a timeout is written in a setting.
func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// maintenance runs f with the settings of a plan: timeouts of ours and a transaction that may write, whatever the client had
// set. The session's own values are put back.
func (w *work) maintenance(ctx context.Context, f func() error) error {
	settings := map[string]string{
		"lock_timeout":                        "0",
		"statement_timeout":                   "0",
		"idle_in_transaction_session_timeout": "0",
		"default_transaction_read_only":       "off",
		"default_transaction_isolation":       "read committed",
	}
	if w.session.Version >= 140000 {
		settings["idle_session_timeout"] = "0"
		// The server then notices that its client is dead while it builds. Not every platform can.
		_, err := w.Conn.Exec(ctx, `SELECT pg_catalog.set_config('client_connection_check_interval', '500ms', true)`)
		if err == nil {
			settings["client_connection_check_interval"] = "500ms"
		} else if SQLState(err) != invalidParameter {
			return err
		}
	}
	if w.session.Version >= 170000 {
		settings["transaction_timeout"] = "0"
	}
	return w.under(ctx, settings, func() error {
		own := w.session
		w.session.StatementTimeout, w.session.TransactionTimeout = 0, 0
		defer func() { w.session = own }()
		return f()
	})
}

// Under runs f with session settings and puts the session's own values back, however f ends and however often the client
// cancels. It never resets: a value that a login or a tool had set stays. What has the value already is not set: not everybody may.
func Under(ctx context.Context, conn Conn, settings map[string]string, f func() error) error {
	_, err := under(ctx, conn, settings, f)
	return err
}

// under is Under, and returns beside its error the cancel that it has withstood.
func under(ctx context.Context, conn Conn, settings map[string]string, f func() error) (canceled, err error) {
	if len(settings) == 0 {
		return nil, f()
	}
	names := slices.Sorted(maps.Keys(settings))
	values, err := conn.Query(ctx, `SELECT pg_catalog.current_setting(s.name)
		FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) AS s(name)`, encode(names))
	if err != nil {
		return nil, err
	}
	if len(values) != len(names) {
		return nil, fmt.Errorf("the server has %d of the settings %v", len(values), names)
	}
	own := map[string]string{}
	for i, name := range names {
		own[name] = values[i]
	}
	// A role may lack the rights that the login has: it is taken last, and left first.
	last := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "role" })
	first := slices.Clone(last)
	if len(last) < len(names) {
		last, first = append(last, "role"), append([]string{"role"}, first...)
	}
	if err := set(ctx, conn, settings, last); err != nil {
		return nil, err
	}
	failed := f()
	canceled, err = persist(ctx, func(ctx context.Context) error { return set(ctx, conn, own, first) })
	if err != nil {
		return canceled, errors.Join(failed, canceled, fmt.Errorf("cannot put the session's settings back: %w", err))
	}
	return canceled, failed
}

// under is Under in a plan, which is to end behind it if the client has cancelled meanwhile.
func (w *work) under(ctx context.Context, settings map[string]string, f func() error) error {
	canceled, err := under(ctx, w.Conn, settings, f)
	w.heed(canceled)
	return err
}

// set sets the named settings that have another value, one after the other.
func set(ctx context.Context, conn Conn, settings map[string]string, names []string) error {
	type setting struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	list := make([]setting, len(names))
	for i, name := range names {
		list[i] = setting{name, settings[name]}
	}
	_, err := conn.Exec(ctx, `SELECT pg_catalog.set_config(s.name, s.value, false)
		FROM pg_catalog.json_to_recordset($1::pg_catalog.json) AS s(name pg_catalog.text, value pg_catalog.text)
		WHERE pg_catalog.current_setting(s.name) OPERATOR(pg_catalog.<>) s.value`, encode(list))
	return err
}

// As is an environment for the session at hand, with the role as it is called now: names change hands. Where the session is that role already,
// nothing is to be set.
func As(ctx context.Context, conn Conn, environment map[string]string, role revisions.Role) (map[string]string, error) {
	recorded, ok := environment["role"]
	if !ok {
		return environment, nil
	}
	here := maps.Clone(environment)
	delete(here, "role")
	now, err := ask(ctx, conn, "SELECT pg_catalog.to_regrole(pg_catalog.quote_ident(CURRENT_USER))::pg_catalog.oid")
	if err != nil {
		return nil, err
	}
	oid := strconv.FormatUint(uint64(role.OID), 10)
	switch {
	case now == oid:
		return here, nil
	case recorded == "none":
		here["role"] = recorded
		return here, nil
	}
	names, err := conn.Query(ctx, "SELECT r.rolname FROM pg_catalog.pg_roles AS r WHERE r.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid", oid)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, &Failure{
			Code:    "42704", // undefined_object
			Message: fmt.Sprintf("pgsluice: role %q, by whose rights this was sent, is gone", recorded),
		}
	}
	here["role"] = names[0]
	return here, nil
}

// persist repeats f as often as a cancel ends it, and returns that beside its error: it is for what must be done whatever the client wants now.
func persist(ctx context.Context, f func(context.Context) error) (canceled, err error) {
	ctx = context.WithoutCancel(ctx)
	for {
		err := f(ctx)
		if SQLState(err) != queryCanceled {
			return canceled, err
		}
		canceled = err
	}
}

// persist is the same in a plan, which is to end behind it if the client has cancelled meanwhile.
func (w *work) persist(ctx context.Context, f func(context.Context) error) error {
	canceled, err := persist(ctx, f)
	w.heed(canceled)
	return err
}

// heed notes a cancel that had to be withstood, nil for none.
func (w *work) heed(canceled error) {
	if canceled != nil {
		w.canceled = canceled
	}
}

// encode is for values that always have a JSON form.
func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // a programming error: a type without a JSON form
	}
	return string(text)
}
