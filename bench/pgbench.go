package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
)

// runPgbench runs its select-only script on a route.
func runPgbench(ctx context.Context, program string, r *route, clients, seconds int, mode string) (result, error) {
	cmd := exec.CommandContext(ctx, program, "--select-only", "--no-vacuum", mode,
		"--client", strconv.Itoa(clients), "--jobs", strconv.Itoa(min(clients, runtime.NumCPU())), "--time", strconv.Itoa(seconds),
		"-h", "127.0.0.1", "-p", strconv.Itoa(r.port), "-U", login, database)
	cmd.Env = append(os.Environ(), "PGSSLMODE=disable", "LC_ALL=C")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return result{}, fmt.Errorf("pgbench: %w\n%s", err, stderr.Bytes())
	}
	return parsePgbench(string(out))
}

var (
	transactions = regexp.MustCompile(`(?m)^number of transactions actually processed: (\d+)`)
	failed       = regexp.MustCompile(`(?m)^number of failed transactions: (\d+)`)
	tps          = regexp.MustCompile(`(?m)^tps = ([\d.]+)`)
)

// parsePgbench reads what pgbench 14 or newer prints.
func parsePgbench(text string) (result, error) {
	counts, rates := transactions.FindAllStringSubmatch(text, -1), tps.FindAllStringSubmatch(text, -1)
	if len(counts) != 1 || len(rates) != 1 {
		return result{}, fmt.Errorf("cannot read what pgbench says (is it older than 14?):\n%s", text)
	}
	if failures := failed.FindStringSubmatch(text); failures != nil && failures[1] != "0" {
		return result{}, fmt.Errorf("pgbench had %s failed transactions:\n%s", failures[1], text)
	}
	work, err := strconv.ParseFloat(counts[0][1], 64)
	if err != nil {
		return result{}, err
	}
	rate, err := strconv.ParseFloat(rates[0][1], 64)
	if err != nil {
		return result{}, err
	}
	if work == 0 || rate == 0 {
		return result{}, fmt.Errorf("pgbench processed nothing:\n%s", text)
	}
	return result{work: work, rate: rate}, nil
}
