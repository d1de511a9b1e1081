package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

const (
	demoReaders = 4
	demoWriters = 4
	// demoPause is the time between two operations of one of them: a steady load, not the most that the server can bear.
	demoPause = 4 * time.Millisecond
	// demoWarmUp is how many operations each has done before the migration begins.
	demoWarmUp = 50
)

// load are readers and writers that work on the table of the demo all the time.
type load struct {
	workers  errgroup.Group
	stopping chan struct{}
	warm     sync.WaitGroup
	measured atomic.Bool

	mu            sync.Mutex
	reads, writes tally
}

// tally is what happened while it was measured.
type tally struct {
	done    int
	longest time.Duration
}

// startLoad returns when all of them are at work. They end with ctx, or by stop.
func startLoad(ctx context.Context, rows int, connect func(context.Context) (*pgx.Conn, error)) (*load, error) {
	l := &load{stopping: make(chan struct{})}
	for i := range demoReaders + demoWriters {
		sql, count := "SELECT total FROM orders WHERE id = $1", &l.reads
		if i >= demoReaders {
			sql, count = "UPDATE orders SET total = total + 1 WHERE id = $1", &l.writes
		}
		conn, err := connect(ctx)
		if err != nil {
			l.stop()
			return nil, fmt.Errorf("cannot start the readers and writers: %w", err)
		}
		l.warm.Add(1)
		l.workers.Go(func() error {
			defer closeSoon(conn)
			return l.work(ctx, conn, sql, rows, count)
		})
	}
	l.warm.Wait()
	return l, nil
}

// work runs one statement after the other, each on another row.
func (l *load) work(ctx context.Context, conn *pgx.Conn, sql string, rows int, count *tally) error {
	warm := sync.OnceFunc(l.warm.Done)
	defer warm()
	ticker := time.NewTicker(demoPause)
	defer ticker.Stop()
	for n := 1; ; n++ {
		measured, began := l.measured.Load(), time.Now()
		if _, err := conn.Exec(ctx, sql, 1+rand.IntN(rows)); err != nil {
			return fmt.Errorf("a reader or writer failed: %w", err)
		}
		if took := time.Since(began); measured {
			l.mu.Lock()
			count.done++
			count.longest = max(count.longest, took)
			l.mu.Unlock()
		}
		if n == demoWarmUp {
			warm()
		}
		select {
		case <-ticker.C:
		case <-l.stopping:
			return nil
		}
	}
}

// measure begins to count; what is under way does not.
func (l *load) measure() { l.measured.Store(true) }

// stop lets everyone finish what is under way, and returns what was counted.
func (l *load) stop() (reads, writes tally, err error) {
	close(l.stopping)
	err = l.workers.Wait()
	return l.reads, l.writes, err
}
