package revisions

import (
	"testing"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestInstall(t *testing.T) {
	admin := connect(t, pgtest.Database(t))
	proxy := pgtest.Role(t, "LOGIN")
	for _, o := range []string{"", proxy, "", proxy} {
		report, err := Install(t.Context(), admin, InstallOptions{ControlRole: o})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", report)
	}
	t.Log(RotateKey(t.Context(), admin))
	l, err := Open(t.Context(), admin)
	t.Log(l, err)
	t.Log(Record(t.Context(), admin, l.Key(), Promise{Kind: "k", Tag: "CREATE INDEX", Asked: "ä𝄞"}))
	admin.run("BEGIN")
	t.Log(Record(t.Context(), admin, l.Key(), Promise{Kind: "k", Tag: "CREATE INDEX", Asked: "ä𝄞"}))
	n, _ := NewNonce(t.Context(), admin)
	admin.run("COMMIT")
	rows, err := l.Pending(t.Context(), n.Transaction())
	t.Logf("%+v %v", rows, err)
	rows, err = l.List(t.Context())
	t.Logf("%+v %v", rows, err)
	t.Log(l.Verify(t.Context(), rows[0]))
}
