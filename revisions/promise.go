package revisions

import (
	"context"
	"crypto/hmac"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

//go:embed sql/promise.sql
var promiseSQL string

// SQLSTATEs of the ledger's own errors.
const (
	// StateNotSigned: a promise was not signed for this call.
	StateNotSigned = "PS002"
	// StateTooMany: a transaction made more than 1000 promises.
	StateTooMany = "PS003"
)

// ErrForged means that a promise in the ledger does not carry the signature of a proxy: somebody wrote or changed the
// row by hand. It is not to be run.
var ErrForged = errors.New("the signature of the promise does not hold")

// Promise is work that a proxy has answered for and that is to be done after the client's COMMIT. All of it is signed.
type Promise struct {
	// Kind is the recipe that the steps come from, in ASCII.
	Kind string `json:"kind"`
	// Tag is the command tag that the client was answered, for example "CREATE INDEX".
	Tag string `json:"tag"`
	// Table is the OID of the table that the work is on.
	Table uint32 `json:"table"`
	// Asked is the client's statement as it may be shown: without secrets.
	Asked string `json:"asked"`
	// Steps and Environment are JSON that the ledger does not look into. What is read back has the same value in ASCII
	// (\u…) and without white space; nil becomes null.
	Steps       json.RawMessage `json:"steps"`
	Environment json.RawMessage `json:"environment"`
}

// content is the part of a promise that the server only carries.
type content struct {
	Asked       string          `json:"asked"`
	Steps       json.RawMessage `json:"steps"`
	Environment json.RawMessage `json:"environment"`
}

// payload is the content in ASCII, so that neither client_encoding nor the database's encoding can change its bytes.
func (p Promise) payload() (string, error) {
	text, err := asciiJSON(content{p.Asked, p.Steps, p.Environment})
	if err != nil {
		return "", fmt.Errorf("cannot write the promise as JSON: %w", err)
	}
	return text, nil
}

// asciiJSON is the JSON of a value in ASCII.
func asciiJSON(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	var ascii strings.Builder
	for _, r := range string(text) { // Marshal has replaced invalid UTF-8
		if r < 0x80 {
			ascii.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&ascii, `\u%04x`, unit)
		}
	}
	return ascii.String(), nil
}

// Record writes the promise into the client's transaction, on the client's connection, and returns its id. It takes two
// round trips: a nonce, then the signed call. An error of the server (StateTooMany; 25006 in a READ ONLY transaction)
// has aborted the transaction, unless the caller has set a savepoint. StateNotSigned means that the key was rotated: read
// it again before the next promise. Outside a transaction block the server refuses it too: the nonce was
// another transaction's.
func Record(ctx context.Context, client Conn, key Key, p Promise) (id int64, err error) {
	nonce, err := NewNonce(ctx, client)
	if err != nil {
		return 0, fmt.Errorf("cannot record a promise: %w", err)
	}
	return RecordWith(ctx, client, key, nonce, p)
}

// RecordWith is Record with a nonce that was asked for in this transaction and not used.
func RecordWith(ctx context.Context, client Conn, key Key, nonce Nonce, p Promise) (id int64, err error) {
	args, err := p.signed(key, nonce)
	if err != nil {
		return 0, fmt.Errorf("cannot record a promise: %w", err)
	}
	id, err = queryRow[int64](ctx, client, promiseCall, args...)
	if err != nil {
		return 0, fmt.Errorf("cannot record a promise: %w", err)
	}
	return id, nil
}

// RecordNext is RecordWith in a transaction that will make more promises: in the same round trip the id is added to the list in a setting
// of the transaction, which ROLLBACK TO SAVEPOINT takes back with the row, and the nonce for the next promise is asked for. That nonce is
// the session_user's and role's of now.
func RecordNext(ctx context.Context, client Conn, key Key, nonce Nonce, p Promise, list string) (id int64, next Nonce, err error) {
	args, err := p.signed(key, nonce)
	if err != nil {
		return 0, Nonce{}, fmt.Errorf("cannot record a promise: %w", err)
	}
	answer, err := queryRow[struct {
		ID   int64 `json:"id"`
		Next Nonce `json:"next"`
	}](ctx, client, promiseAndNext, append(args, list)...)
	if err != nil {
		return 0, Nonce{}, fmt.Errorf("cannot record a promise: %w", err)
	}
	return answer.ID, answer.Next, nil
}

// signed are the parameters of the call that records the promise.
func (p Promise) signed(key Key, nonce Nonce) ([]string, error) {
	if nonce.Home != key.Home {
		return nil, fmt.Errorf("%w: the key is of database %d of cluster %d, the client is in %d of %d",
			ErrCopied, key.Home.Database, key.Home.System, nonce.Database, nonce.System)
	}
	mac, err := key.Sign(nonce, p)
	if err != nil {
		return nil, err
	}
	payload, err := p.payload()
	if err != nil {
		return nil, err
	}
	return []string{strconv.FormatInt(nonce.Number, 10), strconv.Itoa(int(key.ID)), p.Kind, p.Tag, oid(p.Table), payload, mac}, nil
}

const (
	promiseFunction = `pgsluice.promise($1::bigint, $2::integer, $3::pg_catalog.text, $4::pg_catalog.text, ` +
		`$5::pg_catalog.oid, $6::pg_catalog.text, $7::pg_catalog.text)`

	promiseCall = "SELECT " + promiseFunction

	promiseAndNext = `SELECT pg_catalog.json_build_object('id', p.id,
		'listed', pg_catalog.set_config($8::pg_catalog.text,
			pg_catalog.concat(pg_catalog.current_setting($8::pg_catalog.text, true), ',', p.id::pg_catalog.text), true),
		'next', pgsluice.nonce()::pg_catalog.json) FROM ` + promiseFunction + ` AS p(id)`
)

func oid(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// State is how far a promise has got.
type State string

// The states. Done, void and failed are final, except that Retry makes a failed promise pending.
const (
	Pending State = "pending" // nobody works on it
	Running State = "running" // somebody does, or died doing it
	Done    State = "done"
	Void    State = "void"   // there is nothing to do any more: the table is gone, or a person said so
	Failed  State = "failed" // a retry alone cannot cure it
)

// Role is a role of the server. Its name is what the catalog says now.
type Role struct {
	OID  uint32 `json:"oid"`
	Name string `json:"name"`
}

// PromiseRow is a promise as the ledger has it.
type PromiseRow struct {
	Promise
	ID    int64  `json:"id"`
	XID   uint64 `json:"xid"`
	Seq   int    `json:"seq"` // its place among the promises of the transaction, from 1
	Login Role   `json:"login"`
	Role  Role   `json:"role"` // what SET ROLE had made of the login
	// PID and BackendStart (microseconds since 1970) are the backend that wrote it.
	PID          int32 `json:"pid"`
	BackendStart int64 `json:"backend_start"`
	// TableName is the qualified name that the table has now, "" if it is gone.
	TableName string `json:"table_name"`
	State     State  `json:"state"`
	Attempts  int    `json:"attempts"`
	// SQLState and Message are the last error; Message is the reason of a void promise.
	SQLState string `json:"sqlstate"`
	Message  string `json:"message"`
	// Released is true when the backend that wrote it has let go of it. Alive is true while the backend is there that works on it, or may: that of
	// who has claimed it, else of who wrote it.
	Released bool `json:"released"`
	Alive    bool `json:"alive"`
	// Building is how far the index is that is built on the table for it; nil for none, and where that cannot be seen.
	Building  *Building  `json:"building"`
	NotBefore *time.Time `json:"not_before"` // nil: at once
	ClaimedBy string     `json:"claimed_by"` // the Runner's name, "" if none
	Heartbeat *time.Time `json:"heartbeat"`
	Created   time.Time  `json:"created"`
	Started   *time.Time `json:"started"`  // the last time
	Finished  *time.Time `json:"finished"` // nil while it is open

	home    Home
	key     int32
	mac     string
	payload string
}

// Building is how far the build of an index is.
type Building struct {
	Phase string   `json:"phase"` // the server's word
	Done  *float64 `json:"done"`  // how much of the phase, from 0 to 1; nil where that is not known
}

// signedPart is what a row has beside the fields of PromiseRow.
type signedPart struct {
	Home    Home   `json:"home"`
	Payload string `json:"payload"`
	Key     int32  `json:"key"`
	MAC     string `json:"mac"`
}

// queryPromises runs a query that defines the CTE "chosen".
func (l *Ledger) queryPromises(ctx context.Context, chosen string, args ...string) ([]PromiseRow, error) {
	lines, err := queryRows[json.RawMessage](ctx, l.conn, chosen+promiseSQL, append(l.home.args(), args...)...)
	if err != nil {
		return nil, err
	}
	rows := make([]PromiseRow, len(lines))
	for i, line := range lines {
		if err := rows[i].read(line); err != nil {
			return nil, fmt.Errorf("cannot read a promise of the ledger: %w", err)
		}
	}
	return rows, nil
}

func (r *PromiseRow) read(line []byte) error {
	var signed signedPart
	if err := json.Unmarshal(line, &signed); err != nil {
		return err
	}
	if err := json.Unmarshal(line, r); err != nil {
		return err
	}
	var content content
	if err := json.Unmarshal([]byte(signed.Payload), &content); err != nil {
		return fmt.Errorf("the payload of promise %d: %w", r.ID, err)
	}
	r.Asked, r.Steps, r.Environment = content.Asked, content.Steps, content.Environment
	r.home, r.payload, r.key, r.mac = signed.Home, signed.Payload, signed.Key, signed.MAC
	return nil
}

// Verify returns ErrForged unless the row is just what a proxy signed for this database. Start does it too.
func (l *Ledger) Verify(ctx context.Context, row PromiseRow) error {
	if _, known := l.keys[row.key]; !known { // made by a rotation after we opened the ledger?
		if err := l.readKeys(ctx); err != nil {
			return fmt.Errorf("cannot verify promise %d: %w", row.ID, err)
		}
	}
	forged := fmt.Errorf("promise %d: %w", row.ID, ErrForged)
	key, known := l.keys[row.key]
	if !known || row.home != l.home {
		return forged
	}
	nonce := Nonce{
		Home: row.home, Login: row.Login.OID, Role: row.Role.OID,
		PID: row.PID, BackendStart: row.BackendStart, XID: row.XID, Number: row.ID,
	}
	mac := key.sign(nonce, row.Kind, row.Tag, row.Table, row.payload)
	if !hmac.Equal([]byte(mac), []byte(row.mac)) {
		return forged
	}
	return nil
}
