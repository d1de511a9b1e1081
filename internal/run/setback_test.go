package run_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

// A leftover that somebody holds is tried for a short time, however long a lock may be waited for, and what nobody holds is removed meanwhile.
func TestLeftoverThatIsHeld(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1); CREATE TABLE free (a int); INSERT INTO free VALUES (1), (1)")
	for table, index := range map[string]string{"t": "t_a", "free": "free_a"} {
		if _, err := h.as(h.alice).Exec(t.Context(), fmt.Sprintf("CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (a)", index, table)); err == nil {
			t.Fatal("there is no leftover")
		}
		if _, err := h.ledger.Announce(t.Context(), revisions.Artifact{Kind: "index", Schema: "public", Name: index, Table: h.target(table).OID}); err != nil {
			t.Fatal(err)
		}
	}
	holder := h.connect()
	h.exec(holder, "BEGIN; INSERT INTO t VALUES (2)")

	clock := time.Now()
	r := h.resumer(h.control)
	r.LockBudget = time.Hour
	r.Setbacks = &run.Setbacks{Now: func() time.Time { return clock }}
	sweepUntil := func(want string) {
		t.Helper()
		for left := ""; left != want; clock = clock.Add(time.Hour) { // a slow machine may need more than one short try
			if _, err := r.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := h.look.QueryRow(t.Context(), "SELECT COALESCE(string_agg(name, ' ' ORDER BY name), 'nothing') FROM pgsluice.artifacts").Scan(&left); err != nil {
				t.Fatal(err)
			}
		}
	}
	sweepUntil("t_a")
	h.is("0", "SELECT count(*) FROM pg_index WHERE indrelid = 'free'::regclass")
	h.indexes("t_a INVALID")
	h.exec(holder, "COMMIT")
	sweepUntil("nothing")
	h.indexes("")
}

// stuck is a ledger with nothing but leftovers that cannot be removed. It notes which are tried.
type stuck struct {
	run.Ledger
	left  []revisions.Artifact
	tried []int64
}

func (s *stuck) Claim(context.Context, revisions.Runner, revisions.ClaimOptions) ([]revisions.PromiseRow, error) {
	return nil, nil
}
func (s *stuck) List(context.Context, ...revisions.State) ([]revisions.PromiseRow, error) {
	return nil, nil
}
func (s *stuck) Leftovers(context.Context) ([]revisions.Artifact, error) {
	return slices.Clone(s.left), nil
}

// noting is a Conn on which nothing can be asked but which table is meant.
type noting struct {
	run.Conn
	ledger *stuck
}

func (n noting) Query(_ context.Context, _ string, args ...string) ([]string, error) {
	var id int64
	if _, err := fmt.Sscan(args[0], &id); err != nil {
		return nil, err
	}
	n.ledger.tried = append(n.ledger.tried, id)
	return nil, errors.New("somebody is in the way")
}

// One that resists is tried less and less often, each at its own pace, and those first that have waited longest.
func TestLeftoversAreTriedLessAndLess(t *testing.T) {
	clock, ledger := time.Unix(0, 0), &stuck{}
	leave := func(id uint32) {
		ledger.left = append(ledger.left, revisions.Artifact{ID: int64(id), Kind: "index", Schema: "public", Name: "i", Table: id})
	}
	r := run.Resume{
		Ledger:   ledger,
		Open:     func(context.Context) (run.Conn, func(), error) { return noting{ledger: ledger}, func() {}, nil },
		Setbacks: &run.Setbacks{Now: func() time.Time { return clock }},
	}
	var got []string
	for second := range 400 {
		switch second {
		case 0:
			leave(1)
			leave(2)
		case 21:
			leave(3)
		case 75:
			ledger.left = ledger.left[1:] // 1 is gone
		}
		if _, err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(ledger.tried) > 0 {
			got = append(got, fmt.Sprint(second, ":", ledger.tried))
		}
		ledger.tried, clock = nil, clock.Add(time.Second)
	}
	want := "0:[1 2] 5:[1 2] 15:[1 2] 21:[3] 26:[3] 35:[1 2] 36:[3] 56:[3] 75:[2] 96:[3] 155:[2] 176:[3] 275:[2] 296:[3] 395:[2]"
	if got := strings.Join(got, " "); got != want {
		t.Errorf("tried at\n%s\nwant\n%s", got, want)
	}
}

// Whoever asks for it by hand waits for each, and has each tried each time.
func TestLeftoversAreAllTriedByHand(t *testing.T) {
	ledger := &stuck{left: []revisions.Artifact{{ID: 1, Kind: "index", Table: 1}, {ID: 2, Kind: "index", Table: 2}}}
	r := run.Resume{
		Ledger: ledger,
		Open:   func(context.Context) (run.Conn, func(), error) { return noting{ledger: ledger}, func() {}, nil },
	}
	for range 2 {
		if _, err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(ledger.tried); got != "[1 2 1 2]" {
		t.Errorf("tried %s", got)
	}
}
