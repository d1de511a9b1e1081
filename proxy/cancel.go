package proxy

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// forwardCancel sends a CancelRequest to the server as it came, whatever the length of its key, and waits until the
// server has closed that connection, which is the only sign that the request was acted on. We keep no keys, so with several
// addresses each of them is asked: a server ignores a key that is not its own.
func (h *handshake) forwardCancel(ctx context.Context) {
	var all sync.WaitGroup
	for _, a := range h.server.upstream.options.Addresses {
		all.Go(func() {
			if err := h.server.upstream.cancel(ctx, h.sockets, a, h.raw, h.deadline); err != nil {
				h.server.log.Warn("cannot forward a cancel request", "client", h.address, "server", a, "error", err)
			}
		})
	}
	all.Wait()
}

func (u *upstream) cancel(ctx context.Context, ours *sockets, a Address, packet []byte, deadline time.Time) error {
	conn, err := u.connect(ctx, ours, a)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(deadline)
	if _, err := conn.Write(packet); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		return fmt.Errorf("wait for its end: %w", err)
	}
	return nil
}
