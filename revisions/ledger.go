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

//go:embed sql/exists.sql
var existsSQL string

//go:embed sql/unsafe.sql
var unsafeSQL string

//go:embed sql/state.sql
var stateSQL string

// Why a ledger cannot be used. Open and Install wrap them with the particulars and what to do.
var (
	// ErrNotInstalled means that the database has no schema pgsluice.
	ErrNotInstalled = errors.New("the ledger is not installed")
	// ErrCopied means that the ledger was made in another database: this one is a copy, or was moved by pg_upgrade.
	ErrCopied = errors.New("the ledger is another database's")
	// ErrOlder means that an older program made the ledger; Install brings it up to date.
	ErrOlder = errors.New("the ledger is too old")
	// ErrNewer means that a newer program made the ledger, which this one must not write into.
	ErrNewer = errors.New("the ledger is too new")
	// ErrUnsafe means that something under our names is not ours.
	ErrUnsafe = errors.New("the schema pgsluice is not safe to use")
	// ErrKeyUnreadable means that the login is not the control role.
	ErrKeyUnreadable = errors.New("the key of the ledger cannot be read")
)

// Home is the identity of a database in the world. A file-level copy of a cluster has the same.
type Home struct {
	System   int64  `json:"system_identifier"`
	Database uint32 `json:"database_oid,string"`
}

func (h Home) args() []string {
	return []string{strconv.FormatInt(h.System, 10), strconv.FormatUint(uint64(h.Database), 10)}
}

// Ledger is the ledger of one database, seen through a control connection. It is used by one goroutine at a time, like
// the connection, which the caller keeps and closes.
type Ledger struct {
	conn Conn
	home Home
	keys map[int32]Key
}

// Open checks that the ledger is there, is safe to touch, is this database's and this program's, and may be used by
// this login, and reads its keys. The errors are the ones of this file.
func Open(ctx context.Context, control Conn) (*Ledger, error) {
	ledger, err := open(ctx, control)
	if err != nil {
		return nil, fmt.Errorf("cannot open the ledger: %w", err)
	}
	return ledger, nil
}

func open(ctx context.Context, control Conn) (*Ledger, error) {
	if err := checkThere(ctx, control); err != nil {
		return nil, err
	}
	state, err := queryRow[state](ctx, control, stateSQL)
	if err != nil {
		return nil, err
	}
	if err := state.check(); err != nil {
		return nil, err
	}
	l := &Ledger{conn: control, home: state.home()}
	if err := l.readKeys(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// On is the same ledger through another connection of the same login to the same database: what Open has checked is not checked again.
func (l *Ledger) On(control Conn) *Ledger {
	other := *l
	other.conn = control
	return &other
}

// Home is the database that the ledger belongs to.
func (l *Ledger) Home() Home { return l.home }

// exists reports whether the database has a schema pgsluice, whosever it is.
func exists(ctx context.Context, conn Conn) (bool, error) {
	rows, err := conn.Query(ctx, existsSQL)
	if err != nil {
		return false, fmt.Errorf("cannot look for the schema pgsluice: %w", err)
	}
	return len(rows) > 0, nil
}

func checkInstalled(ctx context.Context, conn Conn) error {
	there, err := exists(ctx, conn)
	if err != nil {
		return err
	}
	if !there {
		return errNotInstalled()
	}
	return nil
}

func errNotInstalled() error {
	return fmt.Errorf("%w in this database: run pgsluice install --dsn …", ErrNotInstalled)
}

// absent asks, behind unsafe.sql, whether there is no schema at all: one row, which says nothing.
const absent = `
UNION ALL
SELECT '' FROM (SELECT 1) AS one WHERE NOT EXISTS (SELECT FROM namespace)`

// checkThere is checkInstalled and checkSafe in one question, for those who ask it again and again.
func checkThere(ctx context.Context, conn Conn) error {
	reasons, err := conn.Query(ctx, strings.ReplaceAll(unsafeSQL, "$1", "'open'")+absent)
	switch {
	case err != nil:
		return fmt.Errorf("cannot check the schema pgsluice: %w", err)
	case slices.Contains(reasons, ""):
		return errNotInstalled()
	}
	return unsafe(reasons)
}

// checkSafe looks for what a powerful login must not touch. The occasion is "install" or "open".
func checkSafe(ctx context.Context, conn Conn, occasion string) error {
	// Without a parameter it is planned once where it is asked again and again.
	reasons, err := conn.Query(ctx, strings.ReplaceAll(unsafeSQL, "$1", "'"+occasion+"'"))
	if err != nil {
		return fmt.Errorf("cannot check the schema pgsluice: %w", err)
	}
	return unsafe(reasons)
}

func unsafe(reasons []string) error {
	if len(reasons) > 0 {
		return fmt.Errorf("%w: %s", ErrUnsafe, strings.Join(reasons, "; "))
	}
	return nil
}

// state is what a ledger says of itself, see state.sql.
type state struct {
	System       int64  `json:"system"`
	Database     uint32 `json:"database"`
	DatabaseName string `json:"database_name"`
	Login        string `json:"login"`
	Installed    bool   `json:"installed"`
	Version      int    `json:"version"`
	ControlRole  uint32 `json:"control_role"`
	Readable     bool   `json:"readable"`
}

func (s state) home() Home { return Home{System: s.System, Database: s.Database} }

func (s state) check() error {
	if !s.Readable {
		return fmt.Errorf("%w by %s in database %s: run pgsluice install --control-role %[2]s",
			ErrKeyUnreadable, s.Login, s.DatabaseName)
	}
	if !s.Installed {
		return fmt.Errorf("%w: database %s is a copy or was moved by pg_upgrade; nothing of the original is run here: run pgsluice install",
			ErrCopied, s.DatabaseName)
	}
	if s.Version < Version {
		return fmt.Errorf("%w: database %s has version %d, this program writes %d: run pgsluice install",
			ErrOlder, s.DatabaseName, s.Version, Version)
	}
	if s.Version > Version {
		return s.errNewer()
	}
	return nil
}

func (s state) errNewer() error {
	return fmt.Errorf("%w: database %s has version %d, this program knows %d: use a newer pgsluice",
		ErrNewer, s.DatabaseName, s.Version, Version)
}
