package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/pgsluice/pgsluice/proxy"
)

// Every method of metrics is called; testdata/metrics is what a scraper sees then.
func TestMetrics(t *testing.T) {
	m := newMetrics()
	m.Sessions(func() int { return 2 })
	m.StatementPassed()
	m.StatementPassed()
	m.StatementParsed()
	m.StatementJudged("pass", "")
	m.StatementJudged("rewrite", "index-not-concurrent")
	m.BytesToServer(100)
	m.BytesToClient(2000)
	m.StepRun()
	m.StepRun()
	m.StepFailed()
	m.Promises("app", 2, 1, time.Minute)
	m.LockTried(3, 700*time.Millisecond, true)
	m.Blocked("idle in transaction")
	m.Building(1, "initializing", 0)
	m.Building(1, "building index: scanning table", 0.5)
	m.Building(2, "waiting for old snapshots", 0)
	m.Building(2, "", 0)
	m.Refused("index-not-concurrent")
	m.Reloaded(time.Unix(1_800_000_000, 0), nil)
	m.Reloaded(time.Unix(1_900_000_000, 0), errors.New("wrong"))

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

func TestReadinessNamesEveryReason(t *testing.T) {
	ready := &readiness{checks: []check{
		{name: "ledger", probe: func(context.Context) error { return errors.New("schema pgsluice is version 3, this pgsluice writes 2") }},
		{name: "upstream", probe: func(context.Context) error { return nil }},
		{name: "promises", probe: func(context.Context) error { return errors.New("1 promise of app has failed") }},
	}}
	got := readyz(ready)
	want := `503 {"ready":false,"reasons":[` +
		`{"check":"ledger","reason":"schema pgsluice is version 3, this pgsluice writes 2"},` +
		`{"check":"promises","reason":"1 promise of app has failed"}]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	warned := &readiness{warnings: []check{{name: "ledger", probe: func(context.Context) error { return errors.New("1 promise of app failed") }}}}
	if got, want := readyz(warned), `200 {"ready":true,"reasons":[],"warnings":[{"check":"ledger","reason":"1 promise of app failed"}]}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := readyz(&readiness{}), `200 {"ready":true,"reasons":[]}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A server that does not answer must not keep the one who asks waiting.
func TestReadinessDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging := func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		ready := &readiness{checks: []check{{name: "upstream", probe: hanging}, {name: "ledger", probe: hanging}}}
		began := time.Now()
		got := readyz(ready)
		if waited := time.Since(began); waited != probeTimeout {
			t.Errorf("answered after %s, want %s", waited, probeTimeout)
		}
		if strings.Count(got, "deadline exceeded") != 2 {
			t.Errorf("got %s, want both checks as reasons", got)
		}
	})
}

func TestUpstreamCheck(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	up, down := addressOf(t, listener), addressOf(t, closed)

	if err := upstreamCheck([]proxy.Address{down, up}).probe(t.Context()); err != nil {
		t.Errorf("not ready although the second host is there: %v", err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	err = upstreamCheck([]proxy.Address{down, up}).probe(t.Context())
	if err == nil || !strings.Contains(err.Error(), down.String()) || !strings.Contains(err.Error(), up.String()) {
		t.Errorf("got %v, want an error that names both hosts", err)
	}
}

func addressOf(t *testing.T, listener net.Listener) proxy.Address {
	t.Helper()
	address, err := proxy.ParseAddress(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func readyz(ready *readiness) string {
	answer := httptest.NewRecorder()
	ready.ServeHTTP(answer, httptest.NewRequest("GET", "/readyz", nil))
	return strings.TrimSpace(fmt.Sprint(answer.Code, " ", answer.Body))
}
