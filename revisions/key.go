package revisions

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
)

//go:embed sql/keys.sql
var keysSQL string

//go:embed sql/new_key.sql
var newKeySQL string

//go:embed sql/prune_keys.sql
var pruneKeysSQL string

// Key signs what the ledger's functions accept. Printing one shows its id only.
type Key struct {
	ID   int32
	Home Home
	// block is the secret, padded to the block size of SHA-256 as HMAC does by itself; nil in the zero Key. A pointer, because fmt
	// prints what is in a struct that holds a Key without asking String.
	block   *[sha256.BlockSize]byte
	retired bool
}

// ReadKey returns the key in use, read on a control connection. It fails like Open.
func ReadKey(ctx context.Context, control Conn) (Key, error) {
	ledger, err := Open(ctx, control)
	if err != nil {
		return Key{}, err
	}
	return ledger.Key(), nil
}

// Key is the key in use as far as the ledger knows: as it was opened, or as Verify met a newer one.
func (l *Ledger) Key() Key {
	var key Key
	for _, k := range l.keys {
		if k.inUse() {
			key = k
		}
	}
	return key
}

func (k Key) inUse() bool { return !k.retired }

// String, GoString and LogValue keep the secret out of whatever prints a Key.
func (k Key) String() string       { return "key " + strconv.Itoa(int(k.ID)) }
func (k Key) GoString() string     { return k.String() }
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// field is one part of what is signed: its length in four bytes, big-endian, and its bytes. Thus no two lists of fields
// have the same bytes.
func field(message []byte, content []byte) []byte {
	message = binary.BigEndian.AppendUint32(message, uint32(len(content)))
	return append(message, content...)
}

// number is a field of eight bytes, big-endian.
func number(message []byte, n int64) []byte {
	return field(message, binary.BigEndian.AppendUint64(nil, uint64(n)))
}

// Sign returns the signature, in lower-case hex, that lets the promise be recorded once, with this nonce.
func (k Key) Sign(n Nonce, p Promise) (string, error) {
	if k.block == nil {
		return "", errors.New("cannot sign with the zero key")
	}
	payload, err := p.payload()
	if err != nil {
		return "", err
	}
	return k.sign(n, p.Kind, p.Tag, p.Table, payload), nil
}

// sign makes the same message as the function pgsluice.promise.
func (k Key) sign(n Nonce, kind, tag string, table uint32, payload string) string {
	message := field(nil, []byte("pgsluice.promise"))
	for _, value := range []int64{
		n.System, int64(n.Database), int64(k.ID), n.Number, int64(n.PID), n.BackendStart, int64(n.XID), int64(n.Login), int64(n.Role),
	} {
		message = number(message, value)
	}
	message = field(message, []byte(kind))
	message = field(message, []byte(tag))
	message = number(message, int64(table))
	message = field(message, []byte(payload))

	return k.seal(message)
}

// seal is the signature of a message, in lower-case hex.
func (k Key) seal(message []byte) string {
	mac := hmac.New(sha256.New, k.block[:])
	mac.Write(message)
	return hex.EncodeToString(mac.Sum(nil))
}

// readKeys replaces the keys that the ledger remembers.
func (l *Ledger) readKeys(ctx context.Context) error {
	keys, err := readKeys(ctx, l.conn, l.home)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, Key.inUse) {
		return fmt.Errorf("%w: there is none in use: run pgsluice install", ErrKeyUnreadable)
	}
	l.keys = make(map[int32]Key, len(keys))
	for _, k := range keys {
		l.keys[k.ID] = k
	}
	return nil
}

func readKeys(ctx context.Context, conn Conn, home Home) ([]Key, error) {
	type row struct {
		ID       int32  `json:"id"`
		InnerPad string `json:"inner_pad"`
		Retired  bool   `json:"retired"`
	}
	rows, err := queryRows[row](ctx, conn, keysSQL, home.args()...)
	if err != nil {
		return nil, fmt.Errorf("cannot read the keys of the ledger: %w", err)
	}
	keys := make([]Key, len(rows))
	for i, row := range rows {
		keys[i] = Key{ID: row.ID, Home: home, block: new([sha256.BlockSize]byte), retired: row.Retired}
		n, err := hex.Decode(keys[i].block[:], []byte(row.InnerPad))
		if err != nil || n != sha256.BlockSize {
			return nil, errors.New("cannot read the keys of the ledger: a pad is not 64 bytes") // not the bytes themselves
		}
		for at := range keys[i].block {
			keys[i].block[at] ^= 0x36 // HMAC's ipad, see new_key.sql
		}
	}
	return keys, nil
}

// makeKey makes a key and returns its id. Runs as the owner.
func makeKey(ctx context.Context, conn Conn, home Home) (int32, error) {
	id, err := queryRow[int32](ctx, conn, newKeySQL, home.args()...)
	if err != nil {
		return 0, fmt.Errorf("cannot make a key: %w", err)
	}
	return id, nil
}

// replaceKey retires the key in use and makes another. Runs as the owner.
func replaceKey(ctx context.Context, conn Conn, home Home) (int32, error) {
	if _, err := conn.Exec(ctx, `
		UPDATE pgsluice.keys AS k
		SET retired = pg_catalog.clock_timestamp()
		WHERE k.system_identifier OPERATOR(pg_catalog.=) $1::bigint
			AND k.database_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
			AND k.retired IS NULL`, home.args()...); err != nil {
		return 0, fmt.Errorf("cannot retire the key in use: %w", err)
	}
	id, err := makeKey(ctx, conn, home)
	if err != nil {
		return 0, err
	}
	return id, pruneKeys(ctx, conn, home)
}

// pruneKeys deletes the keys that nothing needs any more. Runs as the owner.
func pruneKeys(ctx context.Context, conn Conn, home Home) error {
	if _, err := conn.Exec(ctx, pruneKeysSQL, home.args()...); err != nil {
		return fmt.Errorf("cannot delete the keys that are not needed: %w", err)
	}
	return nil
}

// NewKey reads the keys anew and returns the one in use: it may have been rotated.
func (l *Ledger) NewKey(ctx context.Context) (Key, error) {
	if err := l.readKeys(ctx); err != nil {
		return Key{}, err
	}
	return l.Key(), nil
}
