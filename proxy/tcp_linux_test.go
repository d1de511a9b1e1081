package proxy

import (
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestTCPOptionsOnBothSides(t *testing.T) {
	f := start(t, Options{
		Upstream:       Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}},
		TCPUserTimeout: 90 * time.Second,
	}, nil)
	c := dialRaw(t, f.tcp)
	c.send(startupPacket(version30, "user", "postgres"))
	c.until('Z')
	l := <-f.links
	for side, conn := range map[string]net.Conn{"client": l.client.conn, "server": l.server.conn} {
		raw, err := conn.(syscall.Conn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		for name, o := range map[string]struct{ level, option, want int }{
			"TCP_USER_TIMEOUT": {unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 90_000},
			"TCP_NODELAY":      {unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
			"SO_KEEPALIVE":     {unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
			"TCP_KEEPIDLE":     {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 60},
			"TCP_KEEPINTVL":    {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 10},
			"TCP_KEEPCNT":      {unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 6},
		} {
			err := raw.Control(func(fd uintptr) {
				got, err := unix.GetsockoptInt(int(fd), o.level, o.option)
				if err != nil || got != o.want {
					t.Errorf("%s: %s is %d, %v, want %d", side, name, got, err, o.want)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
