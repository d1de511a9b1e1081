package main

import (
	"context"
	"fmt"
	"time"
)

// scenario is something that clients do.
type scenario struct {
	name string
	unit string // of its rate
	// costUnit is what the proxy's processor time is given in, and costScale how many of it are a second for one unit of work.
	costUnit  string
	costScale float64
	run       func(ctx context.Context, r *route) (result, error)
}

// result is what one run of a scenario did.
type result struct {
	work float64 // queries, connections or bytes
	rate float64 // in the scenario's unit
}

var protocols = []string{"simple", "extended", "prepared"}

func queriesOf(protocol string, clients int) string {
	if clients == 1 {
		return protocol + ", 1 client"
	}
	return fmt.Sprintf("%s, %d clients", protocol, clients)
}

// The names of the other scenarios.
const (
	selectRows = "SELECT"
	copyOut    = "COPY out"
	copyIn     = "COPY in"
	connecting = "connect"
	oneByOne   = "connect, one by one" // where the processors are not what it waits for
)

// scenarios are what the relay command measures, in the order of the printed tables.
func scenarios(l *lab, options relayOptions) []scenario {
	var all []scenario
	seconds := options.seconds
	for _, protocol := range protocols {
		for _, clients := range options.clients {
			all = append(all, scenario{
				name: queriesOf(protocol, clients), unit: "queries/s", costUnit: "µs/query", costScale: 1e6,
				run: func(ctx context.Context, r *route) (result, error) {
					return runPgbench(ctx, l.pgbench, r, clients, seconds, "--protocol="+protocol)
				},
			})
		}
	}
	bulk := func(name string, once func(ctx context.Context, r *route) (int64, error)) {
		all = append(all, scenario{
			name: name, unit: "MB/s", costUnit: "s/GB", costScale: 1e9,
			run: func(ctx context.Context, r *route) (result, error) { return repeat(ctx, r, seconds, once) },
		})
	}
	million := min(l.rows, 1_000_000)
	bulk(selectRows, func(ctx context.Context, r *route) (int64, error) {
		return receive(ctx, r, fmt.Sprintf("SELECT * FROM pgbench_accounts WHERE aid <= %d", million))
	})
	bulk(copyOut, func(ctx context.Context, r *route) (int64, error) {
		return receive(ctx, r, fmt.Sprintf("COPY (SELECT * FROM pgbench_accounts WHERE aid <= %d) TO STDOUT", million))
	})
	bulk(copyIn, func(ctx context.Context, r *route) (int64, error) {
		return send(ctx, r, "COPY pgbench_accounts FROM STDIN WHERE false", million)
	})
	connect := func(name string, clients int) {
		all = append(all, scenario{
			name: name, unit: "connections/s", costUnit: "µs/connection", costScale: 1e6,
			run: func(ctx context.Context, r *route) (result, error) {
				return runPgbench(ctx, l.pgbench, r, clients, seconds, "--connect")
			},
		})
	}
	connect(connecting, 8)
	connect(oneByOne, 1)
	return all
}

// repeat does something until the seconds are over, at least once.
func repeat(ctx context.Context, r *route, seconds int, once func(ctx context.Context, r *route) (int64, error)) (result, error) {
	began := time.Now()
	var bytes int64
	for {
		n, err := once(ctx, r)
		if err != nil {
			return result{}, err
		}
		bytes += n
		if elapsed := time.Since(began).Seconds(); elapsed >= float64(seconds) {
			return result{work: float64(bytes), rate: float64(bytes) / 1e6 / elapsed}, nil
		}
	}
}
