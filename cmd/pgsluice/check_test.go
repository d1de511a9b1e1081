package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// A pooler answers the login with a BackendKeyData of its own.
func TestCheckNamesAPooler(t *testing.T) {
	config, err := pgx.ParseConfig(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	address := renumber(t, net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))))
	x := examinationOf(t, "postgres://postgres@"+address+"/"+config.Database+"?sslmode=disable", "session")
	if x.Grade != failing {
		t.Errorf("got %+v, want it to fail", x)
	}
}

func TestStandbyIsNamedAndLeftAlone(t *testing.T) {
	box, err := pgbox.Start(t.Context(), pgbox.Options{Major: pgtest.Server(t).Version()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	dsn := box.DSN(box.Superuser(), "postgres")
	if status := execute([]string{"install", "--dsn", dsn}, io.Discard, io.Discard); status != 0 {
		t.Fatalf("install ended with %d", status)
	}
	pool, err := control.New(control.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	k := newKeeper(&logins{pool}, defaultConfig(), "test", slog.New(slog.DiscardHandler), newMetrics())
	if homes, err := k.homes(t.Context()); err != nil || !slices.Equal(homes, []string{"postgres"}) {
		t.Errorf("on a primary the keeper visits %v, %v, want postgres", homes, err)
	}

	if err := box.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(box.DataDir(), "standby.signal"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := box.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if x := examinationOf(t, dsn, "primary"); x.Grade != failing {
		t.Errorf("got %+v, want it to fail", x)
	}
	if homes, err := k.homes(t.Context()); err != nil || len(homes) > 0 {
		t.Errorf("on a standby the keeper visits %v, %v, want nothing", homes, err)
	}
}

func examinationOf(t *testing.T, dsn, name string) examination {
	t.Helper()
	conn, err := control.Connect(t.Context(), dsn, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	found, err := examine(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(found, func(x examination) bool { return x.Name == name })
	if at < 0 {
		t.Fatalf("%s was not looked at: %+v", name, found)
	}
	return found[at]
}

// renumber carries one connection to the server and changes the pid in its BackendKeyData.
func renumber(t *testing.T, server string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- carry(listener, server) }()
	t.Cleanup(func() {
		_ = listener.Close() // so that nobody waits for a client that never came
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func carry(listener net.Listener, server string) error {
	client, err := listener.Accept()
	if err != nil {
		return err
	}
	defer client.Close()
	upstream, err := net.Dial("tcp", server)
	if err != nil {
		return err
	}
	requests := make(chan error, 1)
	go func() {
		_, err := io.Copy(upstream, client)
		requests <- errors.Join(err, upstream.Close())
	}()
	answers := pgproto3.NewFrontend(upstream, nil)
	for {
		message, err := answers.Receive()
		if err != nil {
			break // the client has said goodbye
		}
		if key, ok := message.(*pgproto3.BackendKeyData); ok {
			key.ProcessID++
		}
		out, err := message.Encode(nil)
		if err != nil {
			return err
		}
		if _, err := client.Write(out); err != nil {
			break
		}
	}
	return <-requests
}
