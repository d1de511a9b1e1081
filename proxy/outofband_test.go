package proxy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/revisions"
)

// Where the server writes down schema changes the cases go as they do elsewhere, and of what came through the proxy no more is out of band than nobody has
// judged: however it was sent, deferred, rewritten, tried out or kept.
func TestWhatIsJudgedIsNotOutOfBand(t *testing.T) {
	for name, wanted := range map[string]string{
		"alter-table": "", "autocommit": "", "extended": "", "behind": "", "judged": "", "observe": "", "partition": "", "partitioned": "",
		"pipeline-status": "", "prepared": "", "promise-again": "", "promise-roles": "", "refresh": "", "reindex": "", "script": "", "same-type": "",
		"revisions": "", "temporary": "", "trail": "", "transaction": "", "within": "",
		"exemption": "CREATE INDEX index other.t_plain\n", // in mode pass
		"rights":    "REVOKE function\n",                  // by a trigger
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mode := Enforce
			if name == "observe" {
				mode = Observe
			}
			w := newStage(t, mode, true, name == "judged")
			conn := w.watched(t)
			w.play(t, "testdata/session/"+name+".txt")
			if got := outOfBand(t, conn); got != wanted {
				t.Errorf("out of band is\n%swant\n%s", got, wanted)
			}
		})
	}
}

// watched has the server write down schema changes, and returns a control connection.
func (w *stage) watched(t *testing.T) *control.Conn {
	t.Helper()
	conn, err := control.Connect(t.Context(), w.dsn, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if err := revisions.SetEventTriggers(t.Context(), conn, true); err != nil {
		t.Fatal(err)
	}
	return conn
}

// changesOf are the changes that nobody has judged.
func changesOf(t *testing.T, conn *control.Conn, filter revisions.ChangeFilter) []revisions.Change {
	t.Helper()
	ledger, err := revisions.Open(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.SortChanges(t.Context()); err != nil {
		t.Fatal(err)
	}
	changes, err := ledger.Changes(t.Context(), filter)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// outOfBand are those of them that came through the proxy, a line each.
func outOfBand(t *testing.T, conn *control.Conn) string {
	t.Helper()
	var out strings.Builder
	around := 0
	for _, c := range changesOf(t, conn, revisions.ChangeFilter{}) {
		if c.Application == roundTheProxy {
			around++
			continue
		}
		out.WriteString(c.Tag)
		for _, o := range c.Objects {
			out.WriteString(strings.TrimRight(fmt.Sprintf(" %s %s", o.Type, o.Identity), " "))
		}
		out.WriteString("\n")
	}
	if around == 0 {
		t.Error("nothing that went round the proxy is written down")
	}
	return out.String()
}
