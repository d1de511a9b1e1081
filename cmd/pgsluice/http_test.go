package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgsluice/pgsluice/proxy"
)

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
