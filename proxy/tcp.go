package proxy

import (
	"log/slog"
	"net"
	"time"
)

// tcpOptions are set on each connection, of clients and to servers.
type tcpOptions struct {
	keepAlive   net.KeepAliveConfig
	userTimeout time.Duration
	log         *slog.Logger
}

// apply does nothing to a Unix socket. A kernel that refuses an option is no reason to refuse the connection.
func (o tcpOptions) apply(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	err := tcp.SetKeepAliveConfig(o.keepAlive)
	if err == nil && o.userTimeout > 0 {
		err = setUserTimeout(tcp, o.userTimeout)
	}
	if err != nil {
		o.log.Warn("cannot set TCP options", "peer", conn.RemoteAddr(), "error", err)
	}
}
