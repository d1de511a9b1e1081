package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pgsluice/pgsluice/proxy"
)

// check is one thing that must be well before the process is ready for clients.
type check struct {
	name  string                      // one word, as /readyz shows it
	probe func(context.Context) error // its error is shown to whoever asks and must hold no secret; it is called from many goroutines
}

// readiness answers whether clients should be sent here.
type readiness struct {
	checks []check
	// warnings are shown beside and keep no client away: an application goes on while a migration needs a person.
	warnings []check
	draining atomic.Bool
}

// probeTimeout bounds all checks together. It is shorter than the second that an orchestrator waits by default, so that
// it gets the reasons and no time-out of its own.
const probeTimeout = 800 * time.Millisecond

// notReady is one reason, or one warning, in the answer of /readyz.
type notReady struct {
	Check  string `json:"check"`
	Reason string `json:"reason"`
}

// failures runs all checks at the same time and returns the failed ones, in their order.
func failures(ctx context.Context, checks []check) []notReady {
	failed := make([]error, len(checks))
	var probes errgroup.Group
	for i, c := range checks {
		probes.Go(func() error {
			failed[i] = c.probe(ctx)
			return nil
		})
	}
	_ = probes.Wait() // each error stands in failed

	reasons := []notReady{}
	for i, err := range failed {
		if err != nil {
			reasons = append(reasons, notReady{Check: checks[i].name, Reason: err.Error()})
		}
	}
	return reasons
}

func (r *readiness) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	ctx, cancel := context.WithTimeout(request.Context(), probeTimeout)
	defer cancel()
	reasons := failures(ctx, r.checks)
	if r.draining.Load() {
		draining := notReady{Check: "draining", Reason: "the process is shutting down and takes no new connections"}
		reasons = append([]notReady{draining}, reasons...)
	}
	answer := map[string]any{"ready": len(reasons) == 0, "reasons": reasons}
	if warnings := failures(ctx, r.warnings); len(warnings) > 0 {
		answer["warnings"] = warnings
	}
	body, err := json.Marshal(answer)
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

// upstreamCheck is well when one of the servers accepts a connection. Nothing is sent, and Postgres logs nothing of it.
func upstreamCheck(addresses []proxy.Address) check {
	return check{name: "upstream", probe: func(ctx context.Context) error {
		var failed []error
		for _, address := range addresses {
			conn, err := dial(ctx, address)
			if err == nil {
				return conn.Close()
			}
			failed = append(failed, err)
		}
		return errors.Join(failed...)
	}}
}

func dial(ctx context.Context, address proxy.Address) (net.Conn, error) {
	network, name := "tcp", address.String()
	if filepath.IsAbs(address.Host) {
		network, name = "unix", filepath.Join(address.Host, fmt.Sprintf(".s.PGSQL.%d", address.Port))
	}
	return (&net.Dialer{}).DialContext(ctx, network, name)
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
