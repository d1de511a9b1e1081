package main

import (
	"fmt"
	"io"
)

// goal is a figure that pgsluice is to reach.
type goal struct {
	text    string
	least   float64 // 0 for none
	most    float64 // 0 for none
	figure  float64
	known   bool
	missing string // why it is not known
}

func (g goal) reached() bool {
	return g.known && (g.least == 0 || g.figure >= g.least) && (g.most == 0 || g.figure <= g.most)
}

// judge says for each goal whether it was reached. What could not be measured is said and is no miss.
func judge(out io.Writer, goals []goal) error {
	verdicts := table{{"goal", "wanted", "measured", ""}}
	var err error
	for _, g := range goals {
		wanted := fmt.Sprintf("at least %.2f", g.least)
		if g.most != 0 {
			wanted = fmt.Sprintf("at most %.2f", g.most)
		}
		row := []string{g.text, wanted, fmt.Sprintf("%.2f", g.figure), "reached"}
		switch {
		case !g.known:
			row[2], row[3] = "-", g.missing
		case !g.reached():
			row[3] = "MISSED"
			err = errMissed
		}
		verdicts = append(verdicts, row)
	}
	verdicts.print(out)
	return err
}

// relayGoals are the goals of the relay command.
func relayGoals(f figures) []goal {
	var goals []goal
	add := func(text string, least, most float64, figure float64, known bool, missing string) {
		goals = append(goals, goal{text: text, least: least, most: most, figure: figure, known: known, missing: missing})
	}
	for _, protocol := range protocols {
		for _, load := range []struct {
			clients int
			least   float64
		}{{8, 0.8}, {32, 0.7}} {
			name := queriesOf(protocol, load.clients)
			figure, known := f.ratio(name, namePgsluice, nameHAProxy)
			add("queries to haproxy's, "+name, load.least, 0, figure, known, "haproxy was not measured")
		}
	}
	for _, one := range []struct {
		name  string
		least float64
	}{{selectRows, 0.95}, {copyOut, 0.95}, {copyIn, 0.95}, {connecting, 0.9}, {oneByOne, 0.9}} {
		figure, known := f.ratio(one.name, namePgsluice, nameDirect)
		add(one.name+" to direct", one.least, 0, figure, known, "not measured")
	}
	figure, known := f.median(memoryOf(false), namePgsluice, rate)
	add("KB for an "+memoryOf(false), 0, 20, figure, known, "not measured")
	return goals
}
