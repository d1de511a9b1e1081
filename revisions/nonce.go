package revisions

import (
	"context"
	"fmt"
	"strconv"
)

// Nonce is what one signature is bound to: the session and transaction that asked for it, and a number that is used up
// by the call that the signature is for. The server makes it; none of it can be chosen by the client.
type Nonce struct {
	Home
	Login        uint32 `json:"login,string"` // session_user
	Role         uint32 `json:"role,string"`  // what SET ROLE made of it, else the login
	PID          int32  `json:"pid"`
	BackendStart int64  `json:"backend_start"` // microseconds since 1970
	XID          uint64 `json:"xid,string"`
	Number       int64  `json:"nonce"`
}

// NewNonce asks for a nonce on the client's connection, inside the transaction that the promise is for. It gives that
// transaction an xid, and fails in a transaction that is READ ONLY.
func NewNonce(ctx context.Context, client Asker) (Nonce, error) {
	nonce, err := queryRow[Nonce](ctx, client, "SELECT pgsluice.nonce()")
	if err != nil {
		return Nonce{}, fmt.Errorf("cannot get a nonce from the ledger: %w", err)
	}
	return nonce, nil
}

// Transaction tells one transaction of one backend from all others of the cluster.
type Transaction struct {
	XID          uint64
	PID          int32
	BackendStart int64 // microseconds since 1970
}

// Transaction is the transaction that the nonce was made in.
func (n Nonce) Transaction() Transaction {
	return Transaction{XID: n.XID, PID: n.PID, BackendStart: n.BackendStart}
}

func (t Transaction) args() []string {
	return []string{strconv.FormatUint(t.XID, 10), strconv.Itoa(int(t.PID)), strconv.FormatInt(t.BackendStart, 10)}
}
