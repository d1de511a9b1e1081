package proxy

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// logins counts the connections that have not logged in yet.
type logins struct {
	mu      sync.Mutex
	timeout time.Duration // of one login

	max, maxPerAddress int

	open      int
	byAddress map[netip.Prefix]int
	refusing  bool // and the log says so already
}

func (l *logins) set(timeout time.Duration, most, mostPerAddress int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timeout, l.max, l.maxPerAddress = timeout, most, mostPerAddress
}

// admit counts a connection until release is called, which may be done more than once. Its login may take so long as patience.
func (l *logins) admit(address net.Addr, log *slog.Logger) (patience time.Duration, release func(), err error) {
	from := networkOf(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= l.max || l.byAddress[from] >= l.maxPerAddress {
		if !l.refusing {
			log.Warn("too many connections are logging in: new ones are refused", "client", address, "open", l.open, "max", l.max,
				"from this address", l.byAddress[from], "max per address", l.maxPerAddress)
		}
		l.refusing = true
		return 0, nil, &fatal{
			code:    "53300",
			message: "pgsluice refuses the connection: too many others are logging in",
			hint:    "Try again, or raise the limits on logins in the configuration of pgsluice.",
		}
	}
	l.open++
	l.byAddress[from]++
	return l.timeout, sync.OnceFunc(func() { l.release(from) }), nil
}

func (l *logins) release(from netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.byAddress[from]--; l.byAddress[from] == 0 {
		delete(l.byAddress, from)
	}
	if l.open <= l.max/2 {
		l.refusing = false
	}
}

// networkOf returns the IPv4 address or the IPv6 /64 of a peer, the zero Prefix for a Unix socket.
func networkOf(address net.Addr) netip.Prefix {
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	prefix, _ := ip.Prefix(min(ip.BitLen(), 64)) // cannot fail for these lengths
	return prefix
}
