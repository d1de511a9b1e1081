package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	dto "github.com/prometheus/client_model/go"
)

// figures are the metrics that a process has when everything has happened.
type figures map[string]*dto.MetricFamily

func everyFigure(t *testing.T) figures {
	t.Helper()
	families, err := everyMetric().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := figures{}
	for _, family := range families {
		all[family.GetName()] = family
	}
	return all
}

// labels are those of a metric, with the values that were seen.
func labels(family *dto.MetricFamily) map[string][]string {
	seen := map[string][]string{}
	for _, metric := range family.GetMetric() {
		for _, label := range metric.GetLabel() {
			if !slices.Contains(seen[label.GetName()], label.GetValue()) {
				seen[label.GetName()] = append(seen[label.GetName()], label.GetValue())
			}
		}
	}
	return seen
}

// The words of PromQL that are used, and what Prometheus itself has: the labels of every scrape, and whether it worked.
var (
	promWords  = strings.Fields("sum max min by and or rate increase histogram_quantile topk sort_desc time label_values")
	promLabels = []string{"job", "instance"}
)

var (
	promWord     = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)
	promSelector = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{([^}]*)\})?`)
	promMatcher  = regexp.MustCompile(`([a-zA-Z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	promBy       = regexp.MustCompile(`\bby \(([^)]*)\)`)
	promNoise    = regexp.MustCompile(`"[^"]*"|\[[^\]]*\]|\b[0-9.]+\b`)
)

// check returns what is wrong with an expression, and the labels that its result can have.
func (f figures) check(expr string) (wrong []string, out []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	known := map[string]bool{} // labels of the metrics in it
	for _, selector := range promSelector.FindAllStringSubmatch(promBy.ReplaceAllString(expr, ""), -1) {
		name, matchers := selector[1], selector[2]
		has := map[string][]string{}
		if strings.HasPrefix(name, "pgsluice") {
			family := f[name]
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				if base := f[strings.TrimSuffix(name, suffix)]; family == nil && base.GetType() == dto.MetricType_HISTOGRAM {
					family = base
					if suffix == "_bucket" {
						has["le"] = nil
					}
				}
			}
			if family == nil {
				say("there is no metric %s", name)
				continue
			}
			maps.Copy(has, labels(family))
		}
		for label := range has {
			known[label] = true
		}
		found := promMatcher.FindAllStringSubmatch(matchers, -1)
		if strings.Trim(promMatcher.ReplaceAllString(matchers, ""), ", ") != "" {
			say("cannot read {%s}", matchers)
		}
		for _, m := range found {
			label, operator, value := m[1], m[2], m[3]
			values, there := has[label]
			if !there && !slices.Contains(promLabels, label) {
				say("%s has no label %s", name, label)
			}
			if there && strings.TrimPrefix(operator, "!") == "=" && !slices.Contains(values, value) {
				say("%s{%s} is never %q", name, label, value)
			}
		}
	}
	rest := promNoise.ReplaceAllString(promBy.ReplaceAllString(regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(expr, ""), " by "), "")
	for _, word := range promWord.FindAllString(rest, -1) {
		if !strings.HasPrefix(word, "pgsluice_") && !slices.Contains(promWords, word) && word != "up" {
			say("%s is no word of PromQL that is used here", word)
		}
	}
	groups := promBy.FindAllStringSubmatch(expr, -1)
	for _, group := range groups {
		for label := range strings.SplitSeq(group[1], ",") {
			label = strings.TrimSpace(label)
			if !known[label] && !slices.Contains(promLabels, label) {
				say("no metric in it has a label %s", label)
			}
			out = append(out, label)
		}
	}
	if len(groups) == 0 {
		out = append(slices.Collect(maps.Keys(known)), promLabels...)
	}
	return wrong, out
}

// The check itself finds what it is to find.
func TestExpressionsAreChecked(t *testing.T) {
	f := everyFigure(t)
	for expr, want := range map[string]string{
		`pgsluice_session`:                                                  "no metric pgsluice_session",
		`pgsluice_sessions_count`:                                           "no metric",
		`rate(pgsluice_parse_seconds_bucket{le="1"}[5m])`:                   "is never",
		`sum by (database) (pgsluice_sessions)`:                             "no metric in it has a label database",
		`pgsluice_promises{kind="failed"}`:                                  "has no label kind",
		`pgsluice_promises{state="fialed"}`:                                 `is never "fialed"`,
		`pgsluice_promises{state=failed}`:                                   "cannot read",
		`sun(pgsluice_promises)`:                                            "sun is no word",
		`pgslucie_promises > 0`:                                             "pgslucie_promises is no word",
		`max by (database) (pgsluice_promises{state="failed"}) > 0`:         "",
		`sum by (le) (rate(pgsluice_parse_seconds_bucket[5m])) > 0.5`:       "",
		`up{job="pgsluice"} == 0`:                                           "",
		`rate(pgsluice_bulk_throttled_seconds_total{signal!="pause"}[15m])`: "",
	} {
		wrong, _ := f.check(expr)
		if got := strings.Join(wrong, "; "); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", expr, got, want)
		}
	}
}

// What docs/alerts.yaml asks for is there.
func TestAlertsAskForWhatIsThere(t *testing.T) {
	text, err := os.ReadFile("../../docs/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	f := everyFigure(t)
	mentioned := regexp.MustCompile(`\$labels\.([a-z]+)`)
	rules := 0
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			rules++
			wrong, out := f.check(rule.Expr)
			for _, text := range rule.Annotations {
				for _, m := range mentioned.FindAllStringSubmatch(text, -1) {
					if !slices.Contains(out, m[1]) {
						wrong = append(wrong, "its text mentions the label "+m[1])
					}
				}
			}
			if !slices.Contains([]string{"critical", "warning", "info"}, rule.Labels["severity"]) || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				wrong = append(wrong, "it has no severity, summary or description")
			}
			for _, w := range wrong {
				t.Errorf("%s: %s", rule.Alert, w)
			}
		}
	}
	if rules < 10 {
		t.Errorf("there are %d rules", rules)
	}
}

// What docs/grafana.json shows is there, and what is there is shown.
func TestDashboardShowsWhatIsThere(t *testing.T) {
	text, err := os.ReadFile("../../docs/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Templating struct {
			List []struct {
				Name       string `json:"name"`
				Definition string `json:"definition"`
			} `json:"list"`
		} `json:"templating"`
		Panels []struct {
			ID      int    `json:"id"`
			Title   string `json:"title"`
			Targets []struct {
				Expr   string `json:"expr"`
				Legend string `json:"legendFormat"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	f := everyFigure(t)
	variables := map[string]bool{"datasource": true, "__rate_interval": true, "__range": true, "__all": true}
	definition := regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`)
	for _, v := range dashboard.Templating.List {
		variables[v.Name] = true
		if m := definition.FindStringSubmatch(v.Definition); m != nil {
			if _, there := labels(f[m[1]])[m[2]]; f[m[1]] == nil || !there && !slices.Contains(promLabels, m[2]) {
				t.Errorf("variable %s: %s finds nothing", v.Name, v.Definition)
			}
		} else if v.Definition != "" {
			t.Errorf("variable %s: cannot read %q", v.Name, v.Definition)
		}
	}
	for _, m := range regexp.MustCompile(`\$\{?(\w+)`).FindAllSubmatch(text, -1) {
		if !variables[string(m[1])] {
			t.Errorf("there is no variable %s", m[1])
		}
	}
	shown, ids := "", map[int]bool{}
	legend := regexp.MustCompile(`\{\{(\w+)\}\}`)
	for _, panel := range dashboard.Panels {
		if ids[panel.ID] {
			t.Errorf("%s: another panel has its id", panel.Title)
		}
		ids[panel.ID] = true
		for _, target := range panel.Targets {
			shown += target.Expr + "\n"
			wrong, out := f.check(target.Expr)
			for _, m := range legend.FindAllStringSubmatch(target.Legend, -1) {
				if !slices.Contains(out, m[1]) {
					wrong = append(wrong, "its legend has the label "+m[1])
				}
			}
			for _, w := range wrong {
				t.Errorf("%s: %s: %s", panel.Title, target.Expr, w)
			}
		}
	}
	for name := range f {
		// That a configuration was wrong is an alert.
		if !regexp.MustCompile(`\b`+name+`(_bucket|_count)?\b`).MatchString(shown) && name != "pgsluice_config_reload_failures_total" {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// docs/metrics.md lists what is there; -update writes it anew.
func TestMetricsPage(t *testing.T) {
	const path = "../../docs/metrics.md"
	var page strings.Builder
	page.WriteString(metricsPage)
	f := everyFigure(t)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		family := f[name]
		var with []string
		for _, label := range slices.Sorted(maps.Keys(labels(family))) {
			with = append(with, "`"+label+"`")
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", name, strings.ToLower(family.GetType().String()), strings.Join(with, ", "), family.GetHelp())
	}
	if *update {
		if err := os.WriteFile(path, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != page.String() {
		t.Errorf("%s is stale: run go test ./cmd/pgsluice -run TestMetricsPage -update", path)
	}
}

const metricsPage = `# Metrics

` + "`metrics.listen: 127.0.0.1:9187`" + ` (or ` + "`PGSLUICE_METRICS_LISTEN`" + `) serves ` + "`/metrics`, `/healthz` and `/readyz`" + ` over HTTP. They are for
people and machines that are trusted to see figures; there is no login.

` + "```yaml" + `
scrape_configs:
  - job_name: pgsluice
    static_configs: [{targets: ["10.0.0.5:9187", "10.0.0.6:9187"]}]
rule_files: [alerts.yaml]
` + "```" + `

- [alerts.yaml](alerts.yaml): alerting rules for Prometheus.
- [grafana.json](grafana.json): a dashboard for Grafana; import it and choose the data source.

No label holds text that a client chose, and each has few values: rules, tools, command tags, SQLSTATEs, and the databases that hold a ledger.
What a process counts begins at 0 with it. What is read from ledgers is read once a minute, more often while something is open, and every proxy
tells the same of the same database: ask for ` + "`max by (database)`" + `.

` + "`/readyz`" + ` answers 200 when clients should be sent here, else 503 with the reasons. Work that has failed or stopped is a warning in its answer and keeps nobody away.

| metric | type | labels | is |
| --- | --- | --- | --- |
`
