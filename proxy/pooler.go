package proxy

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// movesAsked is how often a session behind a pooler is asked whether it has another backend by now, before anything relies on that it has not.
const movesAsked = 3

// backendPID is the process that serves the session, as far as is known.
func (s *session) backendPID() int { return cmp.Or(s.pid, int(s.link.pid)) }

// lookForPooler asks, before something is taken that would stay with the session, which backend there is. In a block one that pools transactions cannot be told from
// one that pools sessions.
func (s *session) lookForPooler(ctx context.Context, at occasion) error {
	if s.steady || s.link.pid == 0 {
		return nil
	}
	return s.apart(at, func() error {
		rows, err := sheltered{s.backend}.Query(ctx, "SELECT pg_catalog.pg_backend_pid()")
		if err != nil {
			return err
		}
		pid, err := strconv.Atoi(strings.Join(rows, ""))
		if err != nil {
			return fmt.Errorf("cannot read which backend this is: %w", err)
		}
		return s.meetPooler(ctx, pid)
	})
}

// meetPooler notices a pooler between us and the server by the process that has answered, pid: it is not the one that the login has named. Where it changes
// from one transaction to the next, what a session sets or locks stays with a stranger: from then on everything passes as it is. An error is a cancel of the
// client's, or a lost connection.
func (s *session) meetPooler(ctx context.Context, pid int) error {
	if pid == 0 || s.link.pid == 0 {
		return nil
	}
	pooled, before := uint32(pid) != s.link.pid, s.pid
	moved := before != 0 && before != pid
	if s.pid = pid; pooled && before == 0 {
		s.logger().WarnContext(ctx, "a pooler stands between pgsluice and the server", "backend", pid)
	}
	for range movesAsked {
		if !pooled || moved || s.backend.TxStatus() != 'I' || s.backend.piped {
			break
		}
		answer, err := sheltered{s.backend}.Query(ctx, "SELECT pg_catalog.pg_backend_pid()")
		if err != nil {
			return s.ahead(ctx, "cannot ask which backend this is", err)
		}
		moved = len(answer) == 1 && answer[0] != strconv.Itoa(pid)
	}
	s.steady = !moved && (!pooled || s.backend.TxStatus() == 'I' && !s.backend.piped)
	if !moved || s.owes() {
		return nil
	}
	s.logger().ErrorContext(ctx, "the pooler between pgsluice and the server pools transactions: nothing is judged or changed in this session; let it pool sessions")
	options := *s.options
	options.Mode = Transparent
	s.options, s.following = &options, nil
	s.untrack()
	return nil
}
