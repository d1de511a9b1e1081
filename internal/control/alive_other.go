//go:build !linux

package control

import "net"

// silent knows nothing here: the connection is asked.
func silent(net.Conn) bool { return false }
