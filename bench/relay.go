package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"

	"github.com/spf13/cobra"
)

// relayOptions are the flags of the relay command.
type relayOptions struct {
	rounds      int
	seconds     int // that one run takes
	retries     int // of a run that others disturbed
	scale       int // of pgbench; 1 is 100 000 rows
	connections int // idle ones, when memory is measured
	clients     []int
	against     string // path of another build of pgsluice; "" for none
	only        string // a regular expression: the scenarios to measure
}

// quick is enough to see that nothing is badly wrong.
func quick() relayOptions {
	return relayOptions{rounds: 1, seconds: 1, scale: 10, connections: 200, clients: []int{8, 32}}
}

func newRelayCommand() *cobra.Command {
	options := relayOptions{clients: []int{1, 8, 32}}
	var hurry bool
	cmd := &cobra.Command{
		Use:   "relay",
		Short: "compare pgsluice with no proxy, haproxy and pgbouncer",
		Long: `Compare pgsluice, with its rules on and in mode pass, with no proxy, with haproxy in TCP mode
and with pgbouncer in session mode, interleaved in one run. Linux only: it reads /proc.

haproxy and pgbouncer are installed with apt-get when they are missing and this runs as root.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if hurry {
				against, only := options.against, options.only
				options = quick()
				options.against, options.only = against, only
			}
			return relay(cmd.Context(), options, cmd.OutOrStdout(), progress{cmd.ErrOrStderr()})
		},
	}
	cmd.Flags().IntVar(&options.rounds, "rounds", 5, "measure everything but memory so often, and take medians")
	cmd.Flags().IntVar(&options.seconds, "seconds", 2, "measure each thing for so long")
	cmd.Flags().IntVar(&options.retries, "retries", 2, "repeat a run so often while others use the processors")
	cmd.Flags().IntVar(&options.scale, "scale", 20, "scale of pgbench's tables, 100 000 rows each")
	cmd.Flags().IntVar(&options.connections, "connections", 500, "idle connections, when memory is measured")
	cmd.Flags().StringVar(&options.against, "against", "", "also measure the pgsluice at `PATH`, for example one without a change")
	cmd.Flags().StringVar(&options.only, "only", "", "measure only scenarios whose name matches this regular `EXPRESSION`; memory is called so, too")
	cmd.Flags().BoolVar(&hurry, "quick", false, "take less than two minutes: one short round, fewer clients; the other numbers do not count")
	return cmd
}

// relay measures every scenario on every route and prints the figures.
func relay(ctx context.Context, options relayOptions, out io.Writer, log progress) (err error) {
	only, err := regexp.Compile(options.only)
	if err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	lab, err := openLab(ctx, options.connections+100, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.close()) }()
	if err := lab.fill(ctx, options.scale); err != nil {
		return err
	}
	programs, err := lab.programs(ctx, options.against)
	if err != nil {
		return err
	}
	if err := describe(ctx, out, lab, programs); err != nil {
		return err
	}

	figures := figures{}
	chosen := slices.DeleteFunc(scenarios(lab, options), func(s scenario) bool { return !only.MatchString(s.name) })
	if err := lab.measureTraffic(ctx, options, chosen, programs, figures); err != nil {
		return err
	}
	if only.MatchString("memory") {
		if err := lab.measureMemory(ctx, options, programs, figures); err != nil {
			return err
		}
	}
	figures.print(out, chosen, programs)
	return judge(out, relayGoals(figures))
}

// measureTraffic runs each scenario through each program in turn, so that what disturbs the machine disturbs all alike. The order is
// another one each time: whoever connects right behind pgbouncer, which has had thousands of connections, was seen to be some percent slower.
func (l *lab) measureTraffic(ctx context.Context, options relayOptions, chosen []scenario, programs []program, figures figures) error {
	var routes []*route
	defer func() {
		for _, r := range routes {
			r.close()
		}
	}()
	for _, program := range programs {
		r, err := program.open(ctx)
		if err != nil {
			return err
		}
		routes = append(routes, r)
	}
	for range options.rounds {
		for _, scenario := range chosen {
			for _, i := range rand.Perm(len(routes)) {
				r := routes[i]
				if err := l.measure(ctx, options, scenario, r, figures); err != nil {
					return fmt.Errorf("%s, %s: %w", scenario.name, r.name, err)
				}
			}
		}
	}
	return nil
}

// measure runs a scenario on a route, and again while others disturb it.
func (l *lab) measure(ctx context.Context, options relayOptions, scenario scenario, r *route, figures figures) error {
	for range options.retries + 1 {
		s, err := observe(ctx, scenario, r)
		if err != nil {
			return err
		}
		figures.add(scenario.name, r.name, s)
		l.log.say("%s, %s: %.0f %s (%.2f foreign cores)", scenario.name, r.name, s.rate, scenario.unit, s.foreign)
		if s.foreign <= quietCores {
			return nil
		}
	}
	return nil
}

// observe runs a scenario once.
func observe(ctx context.Context, s scenario, r *route) (sample, error) {
	cpuBefore, err := r.cpu()
	if err != nil {
		return sample{}, err
	}
	stopwatch, err := startForeign()
	if err != nil {
		return sample{}, err
	}
	result, err := s.run(ctx, r)
	if err != nil {
		return sample{}, err
	}
	foreign, err := stopwatch.cores()
	if err != nil {
		return sample{}, err
	}
	cpu, err := r.cpu()
	if err != nil {
		return sample{}, err
	}
	return sample{rate: result.rate, cost: (cpu - cpuBefore).Seconds() / result.work * s.costScale, foreign: foreign}, nil
}

// measureMemory, which nothing disturbs, opens idle connections through a fresh process of each program.
func (l *lab) measureMemory(ctx context.Context, options relayOptions, programs []program, figures figures) error {
	for _, tls := range []bool{false, true} {
		for _, program := range programs {
			if program.direct() || tls && !program.tls {
				continue
			}
			kilobytes, err := memory(ctx, program, options.connections, tls)
			if err != nil {
				return fmt.Errorf("%s: memory of idle connections: %w", program.name, err)
			}
			figures.add(memoryOf(tls), program.name, sample{rate: kilobytes})
			l.log.say("%s, %s: %.1f KB a connection", memoryOf(tls), program.name, kilobytes)
		}
	}
	return nil
}

// memory is what an idle connection adds to the resident memory of the program, in KB.
func memory(ctx context.Context, p program, connections int, tls bool) (float64, error) {
	r, err := p.open(ctx)
	if err != nil {
		return 0, err
	}
	defer r.close()
	// What the first connections set up for all others does not count.
	warmUp, err := openIdle(ctx, r, 20, tls)
	if err != nil {
		return 0, err
	}
	warmUp.close()
	before, err := r.process.memory()
	if err != nil {
		return 0, err
	}
	idle, err := openIdle(ctx, r, connections, tls)
	if err != nil {
		return 0, err
	}
	defer idle.close()
	after, err := r.process.memory()
	if err != nil {
		return 0, err
	}
	return float64(after-before) / 1024 / float64(connections), nil
}

func memoryOf(tls bool) string {
	if tls {
		return "idle TLS connection"
	}
	return "idle plain connection"
}
