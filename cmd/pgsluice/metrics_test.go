package main

import (
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/pgsluice/pgsluice/proxy"
	"github.com/pgsluice/pgsluice/revisions"
)

// everyMetric is a process in which everything that is counted has happened.
func everyMetric() *metrics {
	m := newMetrics()
	m.Build("v1.2.3")
	m.Proxy(func() int { return 2 }, func() proxy.Traffic { return proxy.Traffic{FromClients: 100, FromServers: 2000, Passed: 2} })
	m.Trail(func() bool { return true })
	m.StatementParsed(300 * time.Microsecond)
	m.StatementJudged("SELECT", "pass", "", time.Millisecond)
	m.StatementJudged("CREATE INDEX", "rewrite", "index-not-concurrent", 3*time.Millisecond)
	m.StatementJudged("", "block", "unjudged", 0)
	m.Refused("unjudged")
	m.ConnectionRefused("53300")
	m.AuditFailed()
	m.StepRun(true)
	m.StepRun(true)
	m.StepRun(false)
	m.LockTried(3, 700*time.Millisecond, true)
	m.LockTried(9, time.Minute, false)
	m.Blocked("idle in transaction")
	m.Building(1, "initializing", 0)
	m.Building(1, "building index: scanning table", 0.5)
	m.Building(2, "waiting for old snapshots", 0)
	m.Building(2, "", 0)
	m.BatchDone(5000, 250*time.Millisecond)
	m.Throttled("replica lag", 200*time.Millisecond)
	m.Throttled("pause", 200*time.Millisecond)
	m.JobEnded("done")
	m.ControlUp(true)
	m.ledgers.set("app", standing{
		open: 2, failed: 1, oldest: time.Minute, bulk: map[string]int{bulkRunning: 1, bulkStopped: 2}, oldestBulk: time.Hour,
		revisions: []revisions.RevisionCount{{Tool: "alembic", State: "applied", Count: 12}, {Tool: "alembic", State: "failed", Count: 1}, {Tool: "flyway", State: "running", Count: 1}},
		outOfBand: 3,
	})
	m.ledgers.set("broken", standing{broken: revisions.ErrNewer})
	m.ledgers.set("dropped", standing{open: 1})
	m.ledgers.forget("dropped")
	m.Pruned(revisions.Pruned{Promises: 1, Jobs: 2, Revisions: 3, Statements: 4, Anchors: 5, Changes: 6})
	m.Reloaded(time.Unix(1_800_000_000, 0), nil)
	m.Reloaded(time.Unix(1_900_000_000, 0), errors.New("wrong"))
	return m
}

// testdata/metrics is what a scraper sees then.
func TestMetrics(t *testing.T) {
	m := everyMetric()
	web := newWebServer(m, &readiness{}, slog.New(slog.DiscardHandler))
	scrape := func(accept string) string {
		request := httptest.NewRequest("GET", "/metrics", nil)
		request.Header.Set("Accept", accept)
		answer := httptest.NewRecorder()
		web.Handler.ServeHTTP(answer, request)
		return answer.Body.String()
	}
	datadriven.RunTest(t, "testdata/metrics", func(t *testing.T, d *datadriven.TestData) string {
		return scrape("application/" + d.Cmd)
	})
	problems, err := promlint.New(strings.NewReader(scrape("text/plain"))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// Every metric that is registered has happened in everyMetric: what else is checked against it holds for all.
func TestEveryMetricIsThere(t *testing.T) {
	m := everyMetric()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, family := range families {
		got[family.GetName()] = true
	}
	registered := make(chan *prometheus.Desc)
	go func() {
		defer close(registered)
		m.registry.Describe(registered)
	}()
	for desc := range registered {
		_, rest, _ := strings.Cut(desc.String(), `fqName: "`)
		if name, _, _ := strings.Cut(rest, `"`); !got[name] {
			t.Errorf("%s is registered and did not happen", name)
		}
	}
}
