package proxy

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]string{
		"db":                       "db:5432",
		"db:6432":                  "db:6432",
		"db:":                      "cannot read",
		"db:postgres":              "cannot read",
		"db:65536":                 "cannot read",
		":6432":                    ":6432",
		"127.0.0.1:0":              "127.0.0.1:0",
		"[::1]:6432":               "[::1]:6432",
		"[::1]":                    "[::1]:5432",
		"::1":                      "cannot read",
		"/var/run/postgresql":      "/var/run/postgresql:5432",
		"/var/run/postgresql:6432": "/var/run/postgresql:6432",
	} {
		a, err := ParseAddress(in)
		got := a.String()
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q is %q, want %q", in, got, want)
			continue
		}
		if again, err2 := ParseAddress(got); err == nil && (err2 != nil || again != a) {
			t.Errorf("%q is read back from %q as %v, %v", in, got, again, err2)
		}
	}
}

// freeAddress is one on which nobody listens.
func freeAddress(t *testing.T) Address {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return Address{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
}

// Whoever reads this error at night must see which address was tried, by whom, and what happened there.
func TestUnreachableServer(t *testing.T) {
	down := freeAddress(t)
	silent := fakeServer(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	for name, c := range map[string]struct {
		upstream Upstream
		want     string
	}{
		"nobody listens": {plainly(down), down.String() + ": dial tcp " + down.String() + ": connect: connection refused"},
		"no such name":   {plainly(Address{Host: "nowhere.invalid", Port: 5432}), "nowhere.invalid:5432: dial tcp: lookup nowhere.invalid"},
		"no such socket": {plainly(Address{Host: "/nonexistent", Port: 5432}), "/nonexistent:5432: dial unix /nonexistent/.s.PGSQL.5432: connect: no such file"},
		"two of them":    {plainly(down, Address{Host: "/nonexistent", Port: 5432}), "connection refused; /nonexistent:5432: dial unix"},
		"no answer to SSLRequest": {
			Upstream{Addresses: []Address{silent}, SSLMode: SSLRequire, ConnectTimeout: 50 * time.Millisecond},
			silent.String() + ": sslmode require: no answer to the request for TLS",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, Options{Upstream: c.upstream}, nil)
			client := dialRaw(t, f.tcp)
			client.send(startupPacket(version30, "user", "postgres"))
			got := client.fatal()
			if !strings.HasPrefix(got, "FATAL 08006 pgsluice cannot connect to the server at ") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The first address that takes the login is used: one that is down, or up and not ready, is passed over.
func TestAddressesAreTriedInOrder(t *testing.T) {
	server := pgtest.Server(t)
	encode := func(code string) []byte { return (&fatal{code: code, message: "no"}).encode() }
	starting := fakeLogin(t, func(conn net.Conn) { _, _ = conn.Write(encode("57P03")) })
	full := fakeLogin(t, func(conn net.Conn) { _, _ = conn.Write(encode("53300")) })
	for name, c := range map[string]struct {
		addresses []Address
		want      string
	}{
		"the first is up":       {[]Address{addressOf(server), freeAddress(t)}, "logged in"},
		"the first is down":     {[]Address{freeAddress(t), addressOf(server)}, "logged in"},
		"the first is starting": {[]Address{starting, addressOf(server)}, "logged in"},
		"all are starting":      {[]Address{starting, starting}, "FATAL 57P03 no"}, // in the server's own words
		"the first is full":     {[]Address{full, addressOf(server)}, "FATAL 53300 no"},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, Options{Upstream: plainly(c.addresses...)}, nil)
			client := dialRaw(t, f.tcp)
			client.send(startupPacket(version30, "user", "postgres"))
			got := "logged in"
			if kind, body := client.message(); kind == 'E' {
				got = errorText(t, body)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A login cannot be moved to another server once the client has proven its password, so the one that met a read-only
// server fails, and the next one does not.
func TestTargetSessionAttrs(t *testing.T) {
	t.Parallel()
	writable := pgtest.Server(t)
	readOnly, err := pgbox.Start(t.Context(), pgbox.Options{Major: writable.Version(), Settings: map[string]string{"default_transaction_read_only": "on"}})
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, readOnly)
	standby, err := pgbox.Start(t.Context(), pgbox.Options{Major: writable.Version()})
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, standby)
	if err := standby.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(standby.DataDir(), "standby.signal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := standby.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}

	ask := func(f *front) string {
		out, _ := psql(t, f.tcp.conninfo("user=postgres dbname=postgres"), "SELECT inet_server_port()")
		return out
	}
	port := addressOf(writable).conninfo("")
	port = strings.TrimSpace(port[strings.LastIndex(port, "=")+1:])
	for name, other := range map[string]*pgbox.Server{"read only by default": readOnly, "standby": standby} {
		t.Run(name, func(t *testing.T) {
			upstream := plainly(addressOf(other), addressOf(writable))
			upstream.TargetSessionAttrs = TargetReadWrite
			f := start(t, Options{Upstream: upstream}, nil)
			if writable.Version() < 14 {
				if out := ask(f); !strings.Contains(out, "pgsluice cannot tell whether the server at "+addressOf(other).String()+" is writable") {
					t.Errorf("psql says %q", out)
				}
				return
			}
			want := "the server at " + addressOf(other).String() + " is read-only: connect again, pgsluice will try " + addressOf(writable).String() + " first"
			if out := ask(f); !strings.Contains(out, want) {
				t.Errorf("psql says %q, want %q", out, want)
			}
			for range 2 {
				if out := ask(f); out != port {
					t.Errorf("psql says %q, want the writable server's port %s", out, port)
				}
			}
		})
	}
	t.Run("only a standby", func(t *testing.T) {
		upstream := plainly(addressOf(standby))
		upstream.TargetSessionAttrs = TargetReadWrite
		f := start(t, Options{Upstream: upstream}, nil)
		if out := ask(f); writable.Version() >= 14 && !strings.HasSuffix(strings.Split(out, "\n")[0], "is read-only") {
			t.Errorf("psql says %q", out)
		}
	})
	t.Run("any", func(t *testing.T) {
		f := start(t, Options{Upstream: plainly(addressOf(standby), addressOf(writable))}, nil)
		if out := ask(f); out == port {
			t.Error("any did not take the first server")
		}
	})
}

// What the server says of a login reaches the client in every field.
func TestServersErrorsAreRelayedVerbatim(t *testing.T) {
	want := pgproto3.ErrorResponse{
		Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "53300", Message: "sorry, too many clients already",
		Detail: "detail", Hint: "hint", File: "proc.c", Line: 361, Routine: "InitProcess", UnknownFields: map[byte]string{'Y': "future"},
	}
	encoded, err := want.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	address := fakeLogin(t, func(conn net.Conn) { _, _ = conn.Write(encoded) })
	f := start(t, Options{Upstream: plainly(address)}, nil)
	c := dialRaw(t, f.tcp)
	c.send(startupPacket(version30, "user", "postgres"))
	got, err := io.ReadAll(c.r)
	if err != nil || string(got) != string(encoded) {
		t.Errorf("got %q, %v\nwant %q", got, err, encoded)
	}
}
