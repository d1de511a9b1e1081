package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// check is one thing that must be well before the process is ready for clients.
type check struct {
	name  string                      // one word, as /readyz shows it
	probe func(context.Context) error // its error is shown to whoever asks and must hold no secret; it is called from many goroutines
}

// readiness answers whether clients should be sent here.
type readiness struct {
	checks   []check
	draining atomic.Bool
}

// probeTimeout bounds all checks together. It is shorter than the second that an orchestrator waits by default, so that
// it gets the reasons and no time-out of its own.
const probeTimeout = 800 * time.Millisecond

// notReady is one reason in the answer of /readyz.
type notReady struct {
	Check  string `json:"check"`
	Reason string `json:"reason"`
}

// reasons runs all checks at the same time and returns the failed ones, in the order of the checks.
func (r *readiness) reasons(ctx context.Context) []notReady {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	failed := make([]error, len(r.checks))
	var probes errgroup.Group
	for i, c := range r.checks {
		probes.Go(func() error {
			failed[i] = c.probe(ctx)
			return nil
		})
	}
	_ = probes.Wait() // each error stands in failed

	reasons := []notReady{}
	if r.draining.Load() {
		reasons = append(reasons, notReady{Check: "draining", Reason: "the process is shutting down and takes no new connections"})
	}
	for i, err := range failed {
		if err != nil {
			reasons = append(reasons, notReady{Check: r.checks[i].name, Reason: err.Error()})
		}
	}
	return reasons
}

func (r *readiness) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	reasons := r.reasons(request.Context())
	body, err := json.Marshal(map[string]any{"ready": len(reasons) == 0, "reasons": reasons})
	if err != nil {
		http.Error(w, "cannot write the reasons", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if len(reasons) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(append(body, '\n')) // who asked has gone when this fails
}

// upstreamCheck is well when one of the servers, HOST:PORT or DIRECTORY:PORT each, accepts a connection. Nothing is sent,
// and Postgres logs nothing of it.
func upstreamCheck(addresses []string) check {
	return check{name: "upstream", probe: func(ctx context.Context) error {
		var failed []error
		for _, address := range addresses {
			network, name := dialName(address)
			conn, err := (&net.Dialer{}).DialContext(ctx, network, name)
			if err == nil {
				return conn.Close()
			}
			failed = append(failed, err)
		}
		return errors.Join(failed...)
	}}
}

// newWebServer returns the server for /metrics, /healthz and /readyz. It is for people and machines that are trusted to
// see figures, and still gives a slow or hostile one no more than its timeouts.
func newWebServer(m *metrics, ready *readiness, log *slog.Logger) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.handler())
	mux.Handle("GET /readyz", ready)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n")) // who asked has gone when this fails
	})
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
