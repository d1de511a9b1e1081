package main

import (
	"errors"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{7}, 7},
		{[]float64{9, 1}, 5},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 3, 2}, 2.5},
	} {
		if got := median(c.values); got != c.want {
			t.Errorf("the median of %v is %v, want %v", c.values, got, c.want)
		}
	}
}

// TestDisturbedSamples: a sample that others disturbed is not counted while enough quiet ones are left.
func TestDisturbedSamples(t *testing.T) {
	for _, c := range []struct {
		foreign []float64
		want    float64 // the rates are 1, 2, 4, 8 …
		kept    int
	}{
		{[]float64{0, 0.1, 0.2}, 2, 3},
		{[]float64{0, 0, 1.5}, 1.5, 2},
		{[]float64{1.5, 0, 1.2}, 3, 2},
		{[]float64{1.9, 1.8, 1.7, 1.6}, 6, 2},
		{[]float64{1}, 1, 1},
	} {
		f := figures{}
		rateOf := 1.0
		for _, foreign := range c.foreign {
			f.add("SELECT", nameDirect, sample{rate: rateOf, foreign: foreign})
			rateOf *= 2
		}
		got, known := f.median("SELECT", nameDirect, rate)
		if kept := len(f.kept("SELECT", nameDirect)); !known || got != c.want || kept != c.kept {
			t.Errorf("with %v foreign cores the median is %v of %d samples, want %v of %d", c.foreign, got, kept, c.want, c.kept)
		}
	}
}

func TestRatioNeedsBoth(t *testing.T) {
	f := figures{}
	f.add("SELECT", namePgsluice, sample{rate: 3})
	if got, known := f.ratio("SELECT", namePgsluice, nameHAProxy); known {
		t.Errorf("without haproxy the ratio to it is %v", got)
	}
	f.add("SELECT", nameHAProxy, sample{rate: 4})
	if got, known := f.ratio("SELECT", namePgsluice, nameHAProxy); !known || got != 0.75 {
		t.Errorf("got %v, %v, want 0.75", got, known)
	}
}

func TestJudge(t *testing.T) {
	goals := []goal{
		{text: "fast", least: 0.8, figure: 0.8, known: true},
		{text: "small", most: 20, figure: 20, known: true},
		{text: "compared", least: 0.8, missing: "haproxy was not measured"},
	}
	var out strings.Builder
	if err := judge(&out, goals); err != nil {
		t.Errorf("no goal was missed: %v", err)
	}
	want := `| goal     | wanted        | measured |                          |
| -------- | ------------- | -------- | ------------------------ |
| fast     | at least 0.80 | 0.80     | reached                  |
| small    | at most 20.00 | 20.00    | reached                  |
| compared | at least 0.80 | -        | haproxy was not measured |
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	for _, missed := range []goal{
		{text: "slow", least: 0.8, figure: 0.79, known: true},
		{text: "large", most: 20, figure: 20.1, known: true},
	} {
		out.Reset()
		if err := judge(&out, append(goals, missed)); !errors.Is(err, errMissed) || !strings.Contains(out.String(), "MISSED") {
			t.Errorf("%s: %v\n%s", missed.text, err, out.String())
		}
	}
}

// TestEveryGoalIsMeasured: a goal whose figure no scenario makes would be unknown for ever.
func TestEveryGoalIsMeasured(t *testing.T) {
	f := figures{}
	for _, s := range scenarios(&lab{rows: 1}, quick()) {
		for _, route := range []string{nameDirect, nameHAProxy, namePgsluice} {
			f.add(s.name, route, sample{rate: 1})
		}
	}
	f.add(memoryOf(false), namePgsluice, sample{rate: 1})
	for _, g := range relayGoals(f) {
		if !g.known {
			t.Errorf("%s: %s", g.text, g.missing)
		}
	}
}
