package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// fakeProxy has one session, which ends when the test says so or when Shutdown loses its patience.
type fakeProxy struct {
	broken   error         // Serve returns it at once; nil serves until Shutdown
	draining chan struct{} // closed by Shutdown
	served   chan struct{} // closed by Shutdown at its end
	finished chan struct{} // closed by the test: the session has ended
	cut      error         // why Shutdown lost its patience; nil if it did not
}

func newFakeProxy() *fakeProxy {
	return &fakeProxy{draining: make(chan struct{}), served: make(chan struct{}), finished: make(chan struct{})}
}

func (p *fakeProxy) Serve(context.Context, ...net.Listener) error {
	if p.broken != nil {
		return p.broken
	}
	<-p.served
	return nil
}

func (p *fakeProxy) Shutdown(ctx context.Context) error {
	defer close(p.served)
	close(p.draining)
	select {
	case <-p.finished:
		return nil
	case <-ctx.Done():
		p.cut = context.Cause(ctx)
		return ctx.Err()
	}
}

// idleListener is a listener that only has an address.
type idleListener struct{ net.Listener }

func (idleListener) Addr() net.Addr { return &net.UnixAddr{Name: "idle", Net: "unix"} }

// running is a daemon under test. Its time is the bubble's of synctest.
type running struct {
	proxy   *fakeProxy
	ready   *readiness
	reloads int // how often the configuration was read anew
	signals chan os.Signal
	ended   chan error
}

func start(t *testing.T, proxy *fakeProxy, drainTimeout time.Duration) *running {
	r := &running{proxy: proxy, ready: &readiness{}, signals: make(chan os.Signal), ended: make(chan error, 1)}
	log := slog.New(slog.DiscardHandler)
	d := daemon{
		proxy: proxy, listeners: []net.Listener{idleListener{}}, web: newWebServer(newMetrics(), r.ready, log),
		ready: r.ready, drainTimeout: drainTimeout, log: log, reload: func() { r.reloads++ },
	}
	go func() { r.ended <- d.run(t.Context(), r.signals) }()
	synctest.Wait()
	return r
}

// isRunning is false once run has returned.
func (r *running) isRunning() bool {
	synctest.Wait()
	return len(r.ended) == 0
}

func TestFirstSignalDrains(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, newFakeProxy(), 25*time.Second)
				if r.ready.draining.Load() {
					t.Error("draining before any signal")
				}
				r.signals <- signal
				if !r.isRunning() {
					t.Fatal("ended while a session is open")
				}
				if !r.ready.draining.Load() {
					t.Error("/readyz does not say that the process is draining")
				}
				close(r.proxy.finished)
				if err := <-r.ended; err != nil {
					t.Errorf("got %v after all sessions had ended by themselves", err)
				}
			})
		})
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, newFakeProxy(), 0)
		began := time.Now()
		r.signals <- syscall.SIGTERM
		r.signals <- syscall.SIGINT
		err := <-r.ended
		if !errors.Is(err, errSecondSignal) || !errors.Is(r.proxy.cut, errSecondSignal) {
			t.Errorf("got %v, sessions closed because of %v, want %v", err, r.proxy.cut, errSecondSignal)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("ended after %s", waited)
		}
	})
}

func TestDrainTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, newFakeProxy(), 25*time.Second)
		began := time.Now()
		r.signals <- syscall.SIGTERM
		err := <-r.ended
		if waited := time.Since(began); waited != 25*time.Second {
			t.Errorf("ended after %s, want 25s", waited)
		}
		var hinted interface{ Hint() string }
		if !errors.Is(err, errDrainTimeout) || !errors.Is(r.proxy.cut, errDrainTimeout) || !errors.As(err, &hinted) {
			t.Errorf("got %v, sessions closed because of %v, want %v with a hint", err, r.proxy.cut, errDrainTimeout)
		}
	})
}

func TestDrainWithoutTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, newFakeProxy(), 0)
		r.signals <- syscall.SIGTERM
		<-time.After(24 * time.Hour) // of the bubble's own time
		if !r.isRunning() {
			t.Fatal("ended while a session is open")
		}
		close(r.proxy.finished)
		if err := <-r.ended; err != nil {
			t.Error(err)
		}
	})
}

// SIGHUP reads the configuration anew, before the drain and in it, and never counts as a signal to end.
func TestHangupReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, newFakeProxy(), 0)
		r.signals <- syscall.SIGHUP
		if !r.isRunning() || r.ready.draining.Load() {
			t.Fatal("SIGHUP began to drain")
		}
		r.signals <- syscall.SIGTERM
		r.signals <- syscall.SIGHUP
		if !r.isRunning() {
			t.Fatal("SIGHUP counted as the second signal")
		}
		if r.reloads != 2 {
			t.Errorf("read the configuration %d times, want 2", r.reloads)
		}
		close(r.proxy.finished)
		if err := <-r.ended; err != nil {
			t.Error(err)
		}
	})
}

// A listener that fails takes the rest with it, at once.
func TestBrokenListenerEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		proxy := newFakeProxy()
		proxy.broken = errors.New("too many open files")
		r := start(t, proxy, time.Hour)
		if err := <-r.ended; !errors.Is(err, proxy.broken) {
			t.Errorf("got %v, want %v", err, proxy.broken)
		}
		if !errors.Is(proxy.cut, proxy.broken) {
			t.Errorf("the sessions were closed because of %v, want %v", proxy.cut, proxy.broken)
		}
	})
}

// While sessions finish, the figures are still served and /readyz says why no client should come.
func TestFiguresAreServedWhileDraining(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ready := &readiness{}
	log := slog.New(slog.DiscardHandler)
	proxy := newFakeProxy()
	d := daemon{
		proxy: proxy, listeners: []net.Listener{idleListener{}}, web: newWebServer(newMetrics(), ready, log),
		webListeners: []net.Listener{listener}, ready: ready, log: log,
	}
	signals, ended := make(chan os.Signal), make(chan error, 1)
	go func() { ended <- d.run(t.Context(), signals) }()

	url := "http://" + listener.Addr().String()
	if status, body := get(t, url+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz before the signal: %d %s", status, body)
	}
	signals <- syscall.SIGTERM
	<-proxy.draining
	status, body := get(t, url+"/readyz")
	var answer struct {
		Ready   bool
		Reasons []notReady
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("/readyz is not JSON: %v: %s", err, body)
	}
	if status != http.StatusServiceUnavailable || answer.Ready || len(answer.Reasons) != 1 || answer.Reasons[0].Check != "draining" {
		t.Errorf("/readyz while draining: %d %s", status, body)
	}
	if status, body := get(t, url+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz while draining: %d %s", status, body)
	}
	close(proxy.finished)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("the figures are still served after the end")
	}
}

func get(t testing.TB, url string) (status int, body string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
