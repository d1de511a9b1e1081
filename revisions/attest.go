package revisions

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
)

const attestCall = `SELECT pgsluice.attest($1::bigint, $2::integer, $3::bigint, $4::pg_catalog.text, $5::pg_catalog.text)`

// Attest writes into the client's transaction, on the client's connection, that the statement of the ledger with that id has run there: the
// row vanishes with what ROLLBACK and ROLLBACK TO SAVEPOINT take back. The nonce was asked for in this transaction and is used up, however this
// ends; the next one is returned. One round trip. An error of the server has aborted the transaction, unless the caller has set a savepoint.
func Attest(ctx context.Context, client Asker, key Key, nonce Nonce, statement int64, digest string) (next Nonce, err error) {
	if nonce.Home != key.Home {
		return Nonce{}, fmt.Errorf("cannot write down a statement: %w: the key is of database %d, the client is in %d", ErrCopied, key.Home.Database, nonce.Database)
	}
	mac, err := key.signStatement(nonce, statement, digest)
	if err != nil {
		return Nonce{}, err
	}
	next, err = queryRow[Nonce](ctx, client, attestCall, strconv.FormatInt(nonce.Number, 10), strconv.Itoa(int(key.ID)),
		strconv.FormatInt(statement, 10), digest, mac)
	if err != nil {
		return Nonce{}, fmt.Errorf("cannot write down a statement: %w", err)
	}
	return next, nil
}

// signStatement makes the same message as the function pgsluice.attest.
func (k Key) signStatement(n Nonce, statement int64, digest string) (string, error) {
	if k.block == nil {
		return "", errors.New("cannot sign with the zero key")
	}
	message := field(nil, []byte("pgsluice.attest"))
	for _, value := range []int64{
		n.System, int64(n.Database), int64(k.ID), n.Number, int64(n.PID), n.BackendStart, int64(n.XID), int64(n.Login), int64(n.Role), statement,
	} {
		message = number(message, value)
	}
	message = field(message, []byte(digest))
	mac := hmac.New(sha256.New, k.block[:])
	mac.Write(message)
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// Digest is the SHA-256 of a text, in lower-case hex.
func Digest(text string) string { return hashOf([]byte(text)) }
