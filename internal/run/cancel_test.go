package run_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/rewrite"
)

// A build has given way and is cleaned up behind itself when its client cancels: nothing is left, and it is not begun again.
func TestCancelBehindABuildThatGaveWay(t *testing.T) {
	for _, test := range []struct {
		name string
		work func(p *place) rewrite.Step
	}{
		{"CREATE INDEX", func(p *place) rewrite.Step { return p.index("t_b", "b") }},
		{"REINDEX", func(p *place) rewrite.Step {
			return rewrite.Step{SQL: "REINDEX TABLE CONCURRENTLY public.t", Where: rewrite.Alone, Rebuild: true, Table: p.target("t")}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, "CREATE TABLE t (a int, b int); CREATE INDEX t_a ON t (a)")
			builder := p.undetected()
			kept := &artifacts{}
			builder.Artifacts = kept
			before, pid := p.settings(builder.Conn), p.pid(builder.Conn)
			reader := p.connect() // for whom the clean-up waits, but no build
			p.exec(reader, "BEGIN; SELECT FROM t")
			changer := p.inTransaction("INSERT INTO public.t VALUES (1, 1)")
			changing := p.pid(changer.Conn)
			built := start(t.Context(), builder, test.work(p))
			p.waitFor(buildWaits, pid)
			changed := start(t.Context(), changer, p.strong())
			builder.Report.(*notices).await(t, "stands back for a transaction")
			if o := p.cancelUntil(changing, changed); run.SQLState(o.err) != "57014" {
				t.Errorf("the other one: %v", o.err)
			}
			p.send(changer, "ROLLBACK")
			p.waitFor("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND query LIKE 'DROP INDEX%' AND wait_event_type = 'Lock')", pid)
			p.exec(p.look, fmt.Sprintf("SELECT pg_cancel_backend(%d)", pid))
			p.exec(reader, "COMMIT")
			if o := <-built; run.SQLState(o.err) != "57014" {
				t.Errorf("the build: %v", o.err)
			}
			p.indexes("t_a")
			p.clean(builder, before)
			if len(kept.open) > 0 {
				t.Errorf("artifacts: %+v", kept)
			}
		})
	}
}

// interrupted is a Conn on which a cancel hits, behind a statement that begins with one text, the next that contains another.
type interrupted struct {
	run.Conn
	behind, text string
	armed, hit   bool
}

// canceled is the server's error for a cancel.
type canceled struct{}

func (canceled) Error() string    { return "canceling statement due to user request" }
func (canceled) SQLState() string { return "57014" }

func (i *interrupted) Exec(ctx context.Context, sql string, args ...string) (string, error) {
	if i.armed && !i.hit && strings.Contains(sql, i.text) {
		i.hit = true
		return "", canceled{}
	}
	i.armed = i.armed || strings.HasPrefix(sql, i.behind)
	return i.Conn.Exec(ctx, sql, args...)
}

// A cancel that hits what must be done all the same, as the maintenance lock must be given back, ends the plan behind it: the next step is not begun. Behind
// the last one it comes too late.
func TestCancelBetweenSteps(t *testing.T) {
	for name, text := range map[string]string{"maintenance lock": "pg_advisory_unlock", "settings": "pg_catalog.set_config(s.name"} {
		for _, last := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, last %t", name, last), func(t *testing.T) {
				p := newPlace(t, "CREATE TABLE t (a int, b int)")
				r := p.runner()
				before := p.settings(r.Conn)
				plan := rewrite.Plan{Steps: []rewrite.Step{p.index("t_a", "a"), p.index("t_b", "b")}}
				want, behind := "t_a", plan.Steps[0].SQL
				if last {
					want, behind = "t_a t_b", plan.Steps[1].SQL
				}
				conn := &interrupted{Conn: r.Conn, behind: behind, text: text}
				r.Conn = conn
				result, err := r.Run(t.Context(), plan)
				if !conn.hit || last != (err == nil) || !last && run.SQLState(err) != "57014" {
					t.Errorf("hit %t: %v, %+v", conn.hit, err, result)
				}
				p.indexes(want)
				p.clean(r, before)
			})
		}
	}
}
