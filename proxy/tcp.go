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
	if err := o.set(conn); err != nil {
		o.log.Warn("cannot set TCP options", "peer", conn.RemoteAddr(), "error", err)
	}
}

func (o tcpOptions) set(conn net.Conn) error {
	if own, ok := conn.(interface{ set(o tcpOptions) error }); ok {
		return own.set(o)
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	err := tcp.SetKeepAliveConfig(o.keepAlive)
	if err == nil && o.userTimeout > 0 {
		err = setUserTimeout(tcp, o.userTimeout)
	}
	return err
}
