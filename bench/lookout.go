package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// lookEvery is the time between two looks.
const lookEvery = 20 * time.Millisecond

// lookout looks again and again at what the backends wait for, and at what the hypervisor takes: of a long wait nobody could tell that afterwards.
type lookout struct {
	enough context.CancelFunc
	done   chan struct{}
	seen   []glance
	err    error
}

// glance is one look.
type glance struct {
	at     time.Time
	stolen time.Duration     // of the processors, since the machine was started
	events map[uint32]string // by the pid of the backend that runs a statement: what it waits for, "" for nothing
}

// startLookout begins to look. The caller calls end.
func startLookout(ctx context.Context, direct *route) (*lookout, error) {
	conn, err := pgx.Connect(ctx, direct.dsn("disable"))
	if err != nil {
		return nil, err
	}
	looking, enough := context.WithCancel(ctx)
	l := &lookout{enough: enough, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		defer conn.Close(context.WithoutCancel(ctx))
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		for l.err == nil {
			select {
			case <-looking.Done():
				return
			case <-ticker.C:
				l.err = l.look(ctx, conn)
			}
		}
	}()
	return l, nil
}

func (l *lookout) look(ctx context.Context, conn *pgx.Conn) error {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return fmt.Errorf("cannot read processor times: %w", err)
	}
	g := glance{at: time.Now(), events: map[uint32]string{}}
	if g.stolen, err = parseStolen(text); err != nil {
		return err
	}
	rows, err := conn.Query(ctx, `SELECT pid, COALESCE(wait_event_type || ' ' || wait_event, '') FROM pg_stat_activity
		WHERE state = 'active' AND pid <> pg_backend_pid()`)
	if err != nil {
		return err
	}
	var pid uint32
	var event string
	_, err = pgx.ForEachRow(rows, []any{&pid, &event}, func() error {
		g.events[pid] = event
		return nil
	})
	l.seen = append(l.seen, g)
	return err
}

// end stops looking.
func (l *lookout) end() ([]glance, error) {
	l.enough()
	<-l.done
	return l.seen, l.err
}

// reason says of a statement of a backend what it was seen to wait for between two times, most of all, and what the hypervisor took meanwhile.
func reason(seen []glance, pid uint32, due, answered time.Time) string {
	var stolen time.Duration
	looks, most, times := 0, "", map[string]int{}
	for i, g := range seen {
		if g.at.Before(due) || g.at.After(answered) {
			continue
		}
		if i > 0 {
			stolen += g.stolen - seen[i-1].stolen
		}
		looks++
		event, active := g.events[pid]
		if !active {
			event = "its turn" // its client had not sent it yet
		} else if event == "" {
			event = "a processor"
		}
		if times[event]++; times[event] > times[most] {
			most = event
		}
	}
	if looks == 0 {
		return "not looked at"
	}
	return fmt.Sprintf("for %s in %d of %d looks, %d ms stolen", most, times[most], looks, stolen.Milliseconds())
}
