package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/pgsluice/pgsluice/proxy"
)

func newServeCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "run the proxy",
		Long: `Run the proxy until SIGTERM or SIGINT.

Without --config the defaults hold: listen on 127.0.0.1:6432, forward to 127.0.0.1:5432.
config.yaml in the source tree is the complete default configuration. Every key may also
be given in the environment: lock.timeout is PGSLUICE_LOCK_TIMEOUT, and items of a list
are separated by commas. The environment wins over the file, flags win over both.

The first SIGTERM or SIGINT drains: no new connections, and open ones may finish for
drain.timeout. The second one ends at once.

SIGHUP reads the configuration anew. What is about statements changes for open sessions
from their next statement; the log names what needs a restart. A configuration that is
wrong changes nothing.`,
		Example: `  pgsluice serve --listen 0.0.0.0:6432 --upstream db.internal:5432
  PGSLUICE_MODE=observe pgsluice serve --config config.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			flags, err := serveFlags(cmd.Flags())
			if err != nil {
				return err
			}
			return serve(cmd.Context(), source{file: file, environ: os.Environ(), flags: flags}, outputs{cmd.OutOrStdout(), cmd.ErrOrStderr()})
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "read the configuration from `FILE`")
	cmd.Flags().StringSlice("listen", nil, "listen on `HOST:PORT`, or unix:DIRECTORY:PORT; may be given several times")
	cmd.Flags().String("upstream", "", "forward to the Postgres server at `HOST:PORT`")
	return cmd
}

// serveFlags turns the flags that were given into assignments.
func serveFlags(given *pflag.FlagSet) ([]assignment, error) {
	var flags []assignment
	if given.Changed("listen") {
		listen, err := given.GetStringSlice("listen")
		if err != nil {
			return nil, err
		}
		flags = append(flags, assignment{path: "listen", value: listen, origin: "--listen"})
	}
	if given.Changed("upstream") {
		host, port, err := net.SplitHostPort(given.Lookup("upstream").Value.String())
		if err != nil {
			return nil, &usageError{message: "--upstream must be HOST:PORT", hint: "write --upstream db.internal:5432"}
		}
		flags = append(flags,
			assignment{path: "upstream.host", value: host, origin: "--upstream"},
			assignment{path: "upstream.port", value: port, origin: "--upstream"},
			assignment{path: "upstream.hosts", value: []string(nil), origin: "--upstream"})
	}
	return flags, nil
}

// server is the proxy as the command sees it.
type server interface {
	// Serve accepts clients from the listeners, which it owns from here on, and returns when the last connection has ended:
	// nil after Shutdown, or after the end of ctx, at which everything is closed at once.
	Serve(ctx context.Context, listeners ...net.Listener) error
	// Shutdown takes no new clients and returns when Serve has. When ctx ends before every session has, it closes the rest
	// and returns an error.
	Shutdown(ctx context.Context) error
}

// outputs are where a command writes: results to stdout, all about itself to stderr.
type outputs struct{ stdout, stderr io.Writer }

// serve starts everything that the configuration asks for and returns when all of it has ended.
func serve(ctx context.Context, from source, out outputs) (err error) {
	config, unknown, err := from.load(knownRule, Config.checkFiles)
	if err != nil {
		return err
	}
	log, level, err := newLogger(out.stderr, config.Log)
	if err != nil {
		return err
	}
	for _, variable := range unknown {
		attributes := []any{"name", variable.name}
		if variable.nearest != "" {
			attributes = append(attributes, "did_you_mean", variable.nearest)
		}
		log.Warn("unknown environment variable, ignored", attributes...)
	}

	figures := newMetrics()
	figures.Build(buildVersion())
	plant, err := build(ctx, config, out, log, figures)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plant.Close()) }()
	listeners, webListeners, err := listen(ctx, config)
	if err != nil {
		return err
	}
	// Before anybody is told that the process is there: whoever hears of it may send a signal at once.
	signals := make(chan os.Signal, 2) // a second signal must not be lost while the first is looked at
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	if config.Audit.File != "-" {
		announce(out.stdout, listeners, webListeners)
	}

	ready := &readiness{checks: append([]check{upstreamCheck(config.Upstream.Addresses())}, plant.checks...), warnings: plant.warnings}
	d := daemon{
		proxy:        plant.proxy,
		listeners:    listeners,
		web:          newWebServer(figures, ready, log),
		webListeners: webListeners,
		ready:        ready,
		drainTimeout: config.Drain.Timeout,
		log:          log,
	}
	if plant.keeper != nil {
		d.keep = plant.keeper.run
	}
	r := &reload{source: from, config: config, plant: plant, level: level}
	figures.Reloaded(time.Now(), nil)
	d.reload = func() { d.drainTimeout = r.run().Drain.Timeout }
	return d.run(ctx, signals)
}

// listen opens every address, or none: on an error those already open are closed.
func listen(ctx context.Context, config Config) (listeners, webListeners []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range append(listeners, webListeners...) {
				_ = l.Close() // nobody has connected yet
			}
		}
	}()
	for _, text := range config.Listen {
		address, err := proxy.ParseAddress(strings.TrimPrefix(text, unixPrefix))
		if err != nil {
			return listeners, nil, err
		}
		// On a Unix socket everybody may connect, as with Postgres: who they are is for the authentication to find out.
		listener, err := proxy.Listen(ctx, address, 0o777)
		if err != nil {
			return listeners, nil, taken(err)
		}
		listeners = append(listeners, listener)
	}
	if config.Metrics.Listen == "" {
		return listeners, nil, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", config.Metrics.Listen)
	if err != nil {
		return listeners, nil, taken(fmt.Errorf("cannot listen on %s: %w", config.Metrics.Listen, err))
	}
	return listeners, []net.Listener{listener}, nil
}

// taken adds what to do when somebody else has the address.
func taken(err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	return &failure{err: err, hint: "another process has this address; end it, or choose another one with --listen or metrics.listen"}
}

// announce tells whoever started the process where it can be reached; with port 0 nobody else could know.
func announce(w io.Writer, listeners, webListeners []net.Listener) {
	for _, l := range listeners {
		fmt.Fprintf(w, "pgsluice listens on %s\n", l.Addr())
	}
	for _, l := range webListeners {
		fmt.Fprintf(w, "pgsluice serves metrics on %s\n", l.Addr())
	}
}

// daemon is a running pgsluice serve.
type daemon struct {
	proxy        server
	listeners    []net.Listener
	web          *http.Server
	webListeners []net.Listener // empty when no figures are served
	ready        *readiness
	keep         func(context.Context) // works beside the sessions until its context is done; nil for nothing
	reload       func()                // reads the configuration anew
	drainTimeout time.Duration         // 0 waits without an end
	log          *slog.Logger
}

// run serves until a signal, the failure of a listener or the end of ctx, and returns when everything has ended. The
// figures are served until the last session is gone.
func (d *daemon) run(ctx context.Context, signals <-chan os.Signal) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, listener := range d.listeners {
		d.log.Info("listening", "address", listener.Addr().String())
	}
	group.Go(func() error { return d.proxy.Serve(ctx, d.listeners...) })
	for _, listener := range d.webListeners {
		d.log.Info("serving metrics", "address", listener.Addr().String())
		group.Go(func() error {
			if err := d.web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("cannot serve metrics: %w", err)
			}
			return nil
		})
	}
	keeping, stopKeeping := context.WithCancel(ctx)
	if d.keep != nil {
		group.Go(func() error {
			d.keep(keeping)
			return nil
		})
	}
	group.Go(func() error {
		err := d.shutdownOnSignal(ctx, signals, stopKeeping)
		return errors.Join(err, d.web.Close())
	})
	return group.Wait()
}

// Why a drain was cut short.
var (
	errDrainTimeout = errors.New("drain.timeout passed: the sessions that were still open have been closed")
	errSecondSignal = errors.New("ended by a second signal: the sessions that were still open have been closed")
)

// shutdownOnSignal waits for SIGTERM or SIGINT and drains the proxy; a second one, or the end of drain.timeout, closes
// what is left. When ctx ends first, everything is closed at once. drained is called as soon as nothing new may begin.
func (d *daemon) shutdownOnSignal(ctx context.Context, signals <-chan os.Signal, drained func()) error {
	patience, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)

	stop := d.awaitStop(ctx, signals)
	d.ready.draining.Store(true)
	drained()
	if stop == nil {
		cut(context.Cause(ctx))
	} else {
		d.log.Info("draining: no new connections, open sessions may finish; a second signal ends at once",
			"signal", stop.String(), "timeout", d.drainTimeout.String())
	}
	if d.drainTimeout > 0 {
		timer := time.AfterFunc(d.drainTimeout, func() { cut(errDrainTimeout) })
		defer timer.Stop()
	}

	var watch sync.WaitGroup
	watch.Go(func() {
		if d.awaitStop(patience, signals) != nil {
			cut(errSecondSignal)
		}
	})
	err := d.proxy.Shutdown(patience)
	cause := context.Cause(patience)
	cut(nil)
	watch.Wait()

	switch {
	case err == nil:
		d.log.Info("stopped")
		return nil
	case errors.Is(cause, errDrainTimeout):
		return &failure{err: cause, hint: "raise drain.timeout, and with it the time after which the orchestrator kills"}
	case errors.Is(cause, errSecondSignal):
		return cause
	}
	return err
}

// awaitStop returns the next signal that ends the process, nil when ctx ends first. SIGHUP is no such signal.
func (d *daemon) awaitStop(ctx context.Context, signals <-chan os.Signal) os.Signal {
	for {
		select {
		case <-ctx.Done():
			return nil
		case received := <-signals:
			if received != syscall.SIGHUP {
				return received
			}
			d.reload()
		}
	}
}
