package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/proxy"
	"github.com/pgsluice/pgsluice/revisions"
)

func newTryCommand() *cobra.Command {
	var (
		major int
		demo  bool
		rows  int
	)
	cmd := &cobra.Command{
		Use:   "try",
		Short: "start a throwaway Postgres with pgsluice in front of it",
		Long: `Start a throwaway Postgres with pgsluice in front of it and the ledger installed, and print
how to connect to both. Ctrl-C ends them, and nothing is left behind.

Postgres is one of this machine; if there is none, it is fetched with npm or apt-get.

--demo runs one migration twice on a large table that is read and written all the time,
directly and through pgsluice, shows what was asked and what ran, and how long readers and
writers had to wait, and ends by itself after about a minute. The exit status is 0 only if
pgsluice has finished the migration, every index valid and every constraint validated.`,
		Example: `  pgsluice try
  pgsluice try --demo
  pgsluice try --pg-version 17`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if rows < leastDemoRows {
				return &usageError{
					message: fmt.Sprintf("--rows must be at least %d", leastDemoRows),
					hint:    "smaller tables are changed as they are: nobody would notice",
				}
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			out := outputs{cmd.OutOrStdout(), cmd.ErrOrStderr()}
			if demo {
				if err := runDemo(ctx, major, rows, out); ctx.Err() == nil {
					return err
				}
				return errors.New("interrupted before the demo was over")
			}
			return try(ctx, major, out)
		},
	}
	cmd.Flags().IntVar(&major, "pg-version", 0, "run Postgres `N`; the default is the newest on this machine")
	cmd.Flags().BoolVar(&demo, "demo", false, "run a guided migration on a filled table under load")
	cmd.Flags().IntVar(&rows, "rows", 1_500_000, "with --demo: fill the table with `N` rows")
	return cmd
}

// try runs until ctx is done.
func try(ctx context.Context, major int, out outputs) (err error) {
	t, err := startTrial(ctx, major, out.stderr, &trailPrinter{w: out.stdout})
	if err != nil {
		return interrupted(ctx, err)
	}
	defer func() { err = errors.Join(err, t.stop()) }()
	const database = "app"
	if err := t.makeDatabase(ctx, database, ""); err != nil {
		return interrupted(ctx, err)
	}
	if err := t.install(ctx, database); err != nil {
		return interrupted(ctx, err)
	}
	fmt.Fprintf(out.stdout, `PostgreSQL %s with pgsluice in front of it, until Ctrl-C.

  through pgsluice  %s
  directly          %s

Connect with psql, or point a migration tool at it. What pgsluice judges is shown here.

`, t.box.Binaries().Version, t.dsn(database), t.box.DSN(t.box.Superuser(), database))
	<-ctx.Done()
	return nil
}

// interrupted is nil when it was Ctrl-C that ended the work.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// trial is a throwaway Postgres with a proxy in front of it.
type trial struct {
	box     *pgbox.Server
	plant   *plant
	address net.Addr
	serving *errgroup.Group
	cancel  context.CancelFunc // ends the keeper
}

// startTrial starts both. What they have to say goes to messages, what is judged to trail. The caller stops it.
func startTrial(ctx context.Context, major int, messages, trail io.Writer) (_ *trial, err error) {
	log := slog.New(slog.NewTextHandler(messages, &slog.HandlerOptions{Level: slog.LevelWarn}))
	fetching := slog.New(slog.NewTextHandler(messages, nil))
	t := &trial{serving: &errgroup.Group{}, cancel: func() {}}
	t.box, err = pgbox.Start(ctx, pgbox.Options{
		Major: major, Logger: fetching,
		Settings: map[string]string{"shared_buffers": "128MB", "max_wal_size": "4GB"},
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.stop())
		}
	}()

	config := defaultConfig()
	config.Upstream.Host, config.Upstream.Port, config.Upstream.SSLMode = t.box.Host(), t.box.Port(), "disable"
	config.Control.DSN = dsn(t.box.DSN(t.box.Superuser(), "postgres"))
	config.Audit.File = "-"
	if t.plant, err = build(ctx, config, outputs{stdout: trail, stderr: messages}, log, newMetrics()); err != nil {
		return nil, err
	}
	listener, err := proxy.Listen(ctx, proxy.Address{Host: "127.0.0.1"}, 0)
	if err != nil {
		return nil, err
	}
	t.address = listener.Addr()
	keeping, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t.cancel = cancel
	t.serving.Go(func() error { return t.plant.proxy.Serve(context.WithoutCancel(ctx), listener) })
	t.serving.Go(func() error {
		t.plant.keeper.run(keeping)
		return nil
	})
	return t, nil
}

// How long clients, and then the server, may take to end.
const (
	partingClients = 2 * time.Second
	partingServer  = 20 * time.Second
)

// stop ends both and removes all that they had.
func (t *trial) stop() error {
	var failed error
	t.cancel()
	if t.plant != nil {
		ctx, cancel := context.WithTimeout(context.Background(), partingClients)
		defer cancel()
		if err := t.plant.proxy.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			failed = err
		}
		failed = errors.Join(failed, t.serving.Wait(), t.plant.Close())
	}
	ctx, cancel := context.WithTimeout(context.Background(), partingServer)
	defer cancel()
	return errors.Join(failed, t.box.Stop(ctx))
}

// dsn is the URL of a database through the proxy.
func (t *trial) dsn(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(t.box.Superuser()), Host: t.address.String(), Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// connect opens a connection directly to a database.
func (t *trial) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	return pgx.Connect(ctx, t.box.DSN(t.box.Superuser(), database))
}

// makeDatabase makes a database like the template; "" is an empty one.
func (t *trial) makeDatabase(ctx context.Context, name, template string) error {
	if template == "" {
		template = "template1"
	}
	conn, err := t.connect(ctx, "postgres")
	if err != nil {
		return err
	}
	defer closeSoon(conn)
	_, err = conn.Exec(ctx, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", pgx.Identifier{name}.Sanitize(), pgx.Identifier{template}.Sanitize()))
	return err
}

func (t *trial) install(ctx context.Context, database string) error {
	conn, err := connect(ctx, t.box.DSN(t.box.Superuser(), database))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = revisions.Install(ctx, conn, revisions.InstallOptions{})
	return err
}

// closeSoon ends a connection; the server ends the session either way.
func closeSoon(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// trailPrinter shows the audit trail to people: each Write is one line of it.
type trailPrinter struct {
	mu sync.Mutex
	w  io.Writer
}

func (p *trailPrinter) Write(line []byte) (int, error) {
	var e revisions.Entry
	if err := json.Unmarshal(line, &e); err != nil {
		return 0, fmt.Errorf("cannot read a line of the audit trail: %w", err)
	}
	if e.Kind != revisions.Result && e.Kind != revisions.Decision {
		return len(line), nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "%-8s %-9s %s\n", e.Verdict, e.Outcome, printable(e.Asked))
	for _, ran := range e.Ran {
		if ran != e.Asked {
			fmt.Fprintf(p.w, "         ran       %s\n", printable(ran))
		}
	}
	if e.Error != "" {
		fmt.Fprintf(p.w, "         error     %s\n", printable(e.Error))
	}
	if len(e.Rules) > 0 {
		fmt.Fprintf(p.w, "         rules     %s\n", strings.Join(e.Rules, ", "))
	}
	return len(line), nil
}
