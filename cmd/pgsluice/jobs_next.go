package main

import (
	"cmp"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

// Who goes on with a job.
const (
	byRunner  = "runner"  // who works on it now
	bySession = "session" // the one that promised it, which is still there
	byProxy   = "proxy"
	byLogin   = "login" // the one that asked for it, and nobody else
	byPerson  = "person"
)

// nextTry is who goes on with a job, and when.
type nextTry struct {
	By string `json:"by"`
	// At is when that is at the earliest; nil for at once.
	At *time.Time `json:"at,omitempty"`
}

// nextTryOf is nil for a promise that has ended.
func nextTryOf(row revisions.PromiseRow) *nextTry {
	switch {
	case row.State == revisions.Failed:
		return &nextTry{By: byPerson}
	case row.State != revisions.Pending && row.State != revisions.Running:
		return nil
	case row.Alive && (row.State == revisions.Running || row.ClaimedBy != ""):
		return &nextTry{By: byRunner}
	case row.State == revisions.Running && row.Kind == run.BulkWrite:
		return &nextTry{By: byLogin} // who ran it has died
	case row.State == revisions.Running:
		return &nextTry{By: byProxy}
	case row.Alive && !row.Released:
		return &nextTry{By: bySession}
	case run.LeftToLogin(row):
		return &nextTry{By: byLogin}
	case row.Kind == run.BulkWrite:
		return &nextTry{By: byLogin, At: row.NotBefore} // whoever stands in for it is not allowed to
	}
	return &nextTry{By: byProxy, At: row.NotBefore}
}

// String is for one column.
func (n *nextTry) String() string {
	if n == nil {
		return "-"
	}
	later := ""
	if n.At != nil && n.At.After(time.Now()) {
		later = "in " + time.Until(*n.At).Round(time.Second).String()
	}
	switch n.By {
	case byRunner:
		return "now"
	case bySession:
		return "its session"
	case byLogin:
		return strings.TrimSpace("its login " + later)
	case byPerson:
		return "by hand"
	}
	return cmp.Or(later, "due")
}
