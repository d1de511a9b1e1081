package proxy

import (
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

// met tells the log who was in the way of a plan, and returns the same for the audit trail.
func (s *session) met(result run.Result) []revisions.Blocker {
	var found []revisions.Blocker
	for _, b := range result.Blockers {
		one := revisions.Blocker{
			PID: int32(b.PID), GID: b.GID, Behind: int32(b.Behind), Kind: b.Kind(), User: b.User, State: b.State, Lock: b.Mode,
			Application: b.Seen.Application, Client: b.Seen.Address, Query: ddl.RedactText(b.Seen.Query, s.options.RedactKey), Ended: b.Ended,
			Age: time.Duration(b.Seconds * float64(time.Second)).Round(time.Millisecond),
		}
		found = append(found, one)
		s.logger().Info("somebody was in the way of a schema change", "blocker", one.PID, "gid", one.GID, "behind", one.Behind,
			"kind", one.Kind, "user", one.User, "application", one.Application, "address", one.Client, "state", one.State,
			"transaction_open", one.Age, "lock", one.Lock, "query", one.Query, "ended", one.Ended, "tries", result.Tries, "waited", result.Waited)
	}
	return found
}
