package revisions

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"
)

//go:embed sql/anchor.sql
var anchorSQL string

//go:embed sql/anchors.sql
var anchorsSQL string

// Anchor is a line of an audit trail as the ledger knows it: what stands before that line cannot be changed any more without the ledger telling.
type Anchor struct {
	Head
	Process string    `json:"process"` // that writes the chain
	At      time.Time `json:"anchored"`
}

// Anchor writes down the head of a chain of the process. The same head may be anchored twice.
func (l *Ledger) Anchor(ctx context.Context, process string, head Head) error {
	if _, err := l.conn.Exec(ctx, anchorSQL, append(l.home.args(), head.Chain, strconv.FormatInt(head.Seq, 10), head.Hash, process)...); err != nil {
		return fmt.Errorf("cannot anchor the audit trail: %w", err)
	}
	return nil
}

// Anchors lists all of them, chain by chain.
func (l *Ledger) Anchors(ctx context.Context) ([]Anchor, error) {
	anchors, err := queryRows[Anchor](ctx, l.conn, anchorsSQL, l.home.args()...)
	if err != nil {
		return nil, fmt.Errorf("cannot read the anchors of audit trails: %w", err)
	}
	return anchors, nil
}
