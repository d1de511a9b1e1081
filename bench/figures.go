package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// sample is one measurement.
type sample struct {
	rate    float64 // in the scenario's unit; of memory, KB
	cost    float64 // processor time of the proxy, in the scenario's unit
	foreign float64 // cores that others kept busy meanwhile
}

// cell is what a figure is about.
type cell struct{ scenario, route string }

// figures are all samples of a run.
type figures map[cell][]sample

func (f figures) add(scenario, route string, s sample) {
	c := cell{scenario, route}
	f[c] = append(f[c], s)
}

// quietCores is up to how many foreign cores a sample is taken for undisturbed.
const quietCores = 0.3

// kept are the undisturbed samples of a cell, but at least half of all: then the least disturbed.
func (f figures) kept(scenario, route string) []sample {
	all := slices.Clone(f[cell{scenario, route}])
	slices.SortFunc(all, func(a, b sample) int { return cmp.Compare(a.foreign, b.foreign) })
	quiet := 0
	for quiet < len(all) && all[quiet].foreign <= quietCores {
		quiet++
	}
	return all[:max(quiet, (len(all)+1)/2)]
}

// median of one part of the kept samples; false if there is no sample.
func (f figures) median(scenario, route string, of func(sample) float64) (float64, bool) {
	kept := f.kept(scenario, route)
	if len(kept) == 0 {
		return 0, false
	}
	var values []float64
	for _, s := range kept {
		values = append(values, of(s))
	}
	return median(values), true
}

func rate(s sample) float64      { return s.rate }
func cost(s sample) float64      { return s.cost }
func foreignOf(s sample) float64 { return s.foreign }

// ratio of two routes' rates; false if one was not measured.
func (f figures) ratio(scenario, route, to string) (float64, bool) {
	a, okA := f.median(scenario, route, rate)
	b, okB := f.median(scenario, to, rate)
	return a / b, okA && okB && b != 0
}

// median of at least one value.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// print writes the tables of the relay command.
func (f figures) print(out io.Writer, scenarios []scenario, programs []program) {
	var proxies []string
	for _, p := range programs {
		if !p.direct() {
			proxies = append(proxies, p.name)
		}
	}

	speed := table{{"rate; of proxies, its ratio to direct", nameDirect}}
	speed[0] = append(speed[0], proxies...)
	speed[0] = append(speed[0], "pgsluice/haproxy", "foreign cores", "runs kept")
	costs := table{append([]string{"processor time of the proxy", ""}, proxies...)}
	for _, s := range scenarios {
		absolute, _ := f.median(s.name, nameDirect, rate)
		row := []string{s.name, fmt.Sprintf("%.0f %s", absolute, s.unit)}
		price := []string{s.name, s.costUnit}
		disturbed, _ := f.median(s.name, nameDirect, foreignOf)
		runs := len(f.kept(s.name, nameDirect))
		for _, proxy := range proxies {
			row = append(row, number("%.2f")(f.ratio(s.name, proxy, nameDirect)))
			price = append(price, number("%.1f")(f.median(s.name, proxy, cost)))
			foreign, _ := f.median(s.name, proxy, foreignOf)
			disturbed = max(disturbed, foreign)
			runs = min(runs, len(f.kept(s.name, proxy)))
		}
		speed = append(speed, append(row, number("%.2f")(f.ratio(s.name, namePgsluice, nameHAProxy)),
			fmt.Sprintf("%.2f", disturbed), fmt.Sprint(runs)))
		costs = append(costs, price)
	}

	memory := table{append([]string{"memory"}, proxies...)}
	for _, tls := range []bool{false, true} {
		row := []string{memoryOf(tls)}
		for _, proxy := range proxies {
			row = append(row, number("%.1f KB")(f.median(memoryOf(tls), proxy, rate)))
		}
		memory = append(memory, row)
	}
	for _, t := range []table{speed, costs, memory} {
		t.print(out)
		fmt.Fprintln(out)
	}
}

// number formats a figure that may be missing.
func number(format string) func(float64, bool) string {
	return func(value float64, known bool) string {
		if !known {
			return "-"
		}
		return fmt.Sprintf(format, value)
	}
}
