package main

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/pgsluice/pgsluice/proxy"
	"github.com/pgsluice/pgsluice/revisions"
)

// metrics are the figures of one process, in a registry of their own. Its methods may be called from any goroutine. The
// packages that count declare the few methods that they call as an interface of theirs. No label holds text that a client chose, and each
// has few values: docs/metrics.md lists them.
type metrics struct {
	registry *prometheus.Registry

	parsed            prometheus.Counter
	parseTime         prometheus.Histogram
	judged            *prometheus.CounterVec
	decisionTime      prometheus.Histogram
	refusals          *prometheus.CounterVec
	refused           *prometheus.CounterVec
	auditFailures     prometheus.Counter
	steps             *prometheus.CounterVec
	lockTries         prometheus.Counter
	lockWaits         *prometheus.HistogramVec
	blockers          *prometheus.CounterVec
	builds            *prometheus.GaugeVec
	bulkRows          prometheus.Counter
	batches           prometheus.Histogram
	throttled         *prometheus.CounterVec
	bulkEnds          *prometheus.CounterVec
	controlUp         *prometheus.GaugeVec // without labels; not there without a control login
	ledgers           *ledgerFigures
	pruned            *prometheus.CounterVec
	reloadFailures    prometheus.Counter
	lastReload        prometheus.Gauge
	countedStatements string // the help of what is counted in two places
}

// namespace stands before the name of each metric.
const namespace = "pgsluice"

func newMetrics() *metrics {
	registry := prometheus.NewRegistry()
	with := promauto.With(registry)
	counter := func(name, help string) prometheus.Counter {
		return with.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return with.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return with.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
	}
	gauges := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return with.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets ...float64) prometheus.Histogram {
		return with.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
	}
	ledgers := newLedgerFigures()
	registry.MustRegister(ledgers)
	const statements = "Statements received, by what the prefilter did: passed them unread, or had them parsed."

	return &metrics{
		registry: registry,
		parsed: with.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "statements_total", Help: statements, ConstLabels: prometheus.Labels{"prefilter": "parsed"},
		}),
		countedStatements: statements,
		parseTime:         histogram("parse_seconds", "Time that parsing a text took.", 1e-5, 5e-5, 2e-4, 1e-3, 5e-3, .02, .1, 1),
		judged: counters("statements_judged_total",
			"Statements judged, by kind (the command tag; unparsed for what cannot be read), verdict, and the rule that decided; no rule for pass.",
			"kind", "verdict", "rule"),
		decisionTime:  histogram("decision_seconds", "Time from a parsed statement to its verdict: the question for facts, and the rules.", 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, .02, .1, 1, 10),
		refusals:      counters("refusals_total", "Statements refused by pgsluice itself, by the rule that decided.", "reason"),
		refused:       counters("connections_refused_total", "Clients sent away by pgsluice itself before they had a session.", "sqlstate"),
		auditFailures: counter("audit_failures_total", "Lines that could not be written to the audit trail."),
		steps:         counters("plan_steps_total", "Steps of plans that were run, by outcome: done or failed; one that is tried again later is counted again.", "outcome"),
		lockTries:     counter("lock_tries_total", "Tries for locks that others would queue behind."),
		lockWaits: with.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "lock_wait_seconds", Help: "Time until such a lock was got or given up, pauses included, by outcome: got or failed.",
			Buckets: []float64{.01, .05, .2, 1, 5, 30, 120, 600},
		}, []string{"outcome"}),
		blockers: counters("lock_blockers_total", "Sessions and prepared transactions seen in the way of such a lock or of a concurrent build.", "kind"),
		builds:   gauges("build_done_ratio", "How much of its phase a concurrent build that runs now has done.", "pid", "phase"),
		bulkRows: counter("bulk_rows_total", "Rows changed by bulk writes, the fills of plans included."),
		batches:  histogram("bulk_batch_seconds", "Time that a batch of a bulk write took, which is about how long others waited for its rows.", .01, .05, .1, .2, .3, .5, 1, 2, 5),
		throttled: counters("bulk_throttled_seconds_total",
			"Time that bulk writes have waited, by the signal that they waited for, or pause; each of several at a time counts.", "signal"),
		bulkEnds:       counters("bulk_runs_total", "Runs of bulk writes that have ended, by the state that left the job in: done, stopped or void.", "state"),
		controlUp:      gauges("control_up", "1 while the control login works, 0 while it does not."),
		ledgers:        ledgers,
		pruned:         counters("ledger_pruned_rows_total", "Rows deleted from ledgers because they were older than revisions.keep.", "table"),
		reloadFailures: counter("config_reload_failures_total", "Configurations that were read on SIGHUP and not put into force, because they were wrong."),
		lastReload:     gauge("config_last_reload_success_timestamp_seconds", "When a configuration was last put into force; the start counts."),
	}
}

// handler serves the figures in Prometheus's text format, or in OpenMetrics where the scraper asks for it.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Proxy has the proxy asked for what it counts by itself whenever the figures are. It is called once.
func (m *metrics) Proxy(sessions func() int, traffic func() proxy.Traffic) {
	with := promauto.With(m.registry)
	with.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: "sessions", Help: "Sessions that are open now."},
		func() float64 { return float64(sessions()) })
	counter := func(name, help, label, value string, read func(proxy.Traffic) int64) {
		with.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: prometheus.Labels{label: value}},
			func() float64 { return float64(read(traffic())) })
	}
	counter("statements_total", m.countedStatements, "prefilter", "passed", func(t proxy.Traffic) int64 { return t.Passed })
	const bytes = "Bytes of the Postgres protocol received in sessions, encryption aside, by side: client or server."
	counter("received_bytes_total", bytes, "from", "client", func(t proxy.Traffic) int64 { return t.FromClients })
	counter("received_bytes_total", bytes, "from", "server", func(t proxy.Traffic) int64 { return t.FromServers })
}

// Trail has the audit trail asked for its state whenever the figures are. It is called once.
func (m *metrics) Trail(broken func() bool) {
	promauto.With(m.registry).NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "audit_broken", Help: "1 while the audit trail cannot be written, 0 while it can.",
	}, func() float64 { return oneIf(broken()) })
}

// Build says what this process was built from. It is called once.
func (m *metrics) Build(version string) {
	promauto.With(m.registry).NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "1, for the version that the process was built from.", ConstLabels: prometheus.Labels{"version": version},
	}).Set(1)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// StatementParsed implements proxy.Meter.
func (m *metrics) StatementParsed(took time.Duration) {
	m.parsed.Inc()
	m.parseTime.Observe(took.Seconds())
}

// StatementJudged implements proxy.Meter.
func (m *metrics) StatementJudged(tag, verdict, rule string, took time.Duration) {
	m.judged.WithLabelValues(cmp.Or(tag, "unparsed"), verdict, rule).Inc()
	m.decisionTime.Observe(took.Seconds())
}

// Refused implements proxy.Meter.
func (m *metrics) Refused(reason string) { m.refusals.WithLabelValues(reason).Inc() }

// ConnectionRefused implements proxy.Meter.
func (m *metrics) ConnectionRefused(sqlState string) { m.refused.WithLabelValues(sqlState).Inc() }

// AuditFailed implements proxy.Meter.
func (m *metrics) AuditFailed() { m.auditFailures.Inc() }

// StepRun implements run.Meter.
func (m *metrics) StepRun(done bool) {
	m.steps.WithLabelValues(map[bool]string{true: "done", false: "failed"}[done]).Inc()
}

// LockTried implements run.Meter.
func (m *metrics) LockTried(tries int, waited time.Duration, got bool) {
	m.lockTries.Add(float64(tries))
	m.lockWaits.WithLabelValues(map[bool]string{true: "got", false: "failed"}[got]).Observe(waited.Seconds())
}

// Blocked implements run.Meter.
func (m *metrics) Blocked(kind string) { m.blockers.WithLabelValues(kind).Inc() }

// Building implements run.Meter.
func (m *metrics) Building(pid int, phase string, done float64) {
	m.builds.DeletePartialMatch(prometheus.Labels{"pid": strconv.Itoa(pid)})
	if phase != "" {
		m.builds.WithLabelValues(strconv.Itoa(pid), phase).Set(done)
	}
}

// BatchDone implements run.Meter.
func (m *metrics) BatchDone(rows int, took time.Duration) {
	m.bulkRows.Add(float64(rows))
	m.batches.Observe(took.Seconds())
}

// Throttled implements run.Meter.
func (m *metrics) Throttled(signal string, waited time.Duration) {
	m.throttled.WithLabelValues(signal).Add(waited.Seconds())
}

// JobEnded implements run.Meter.
func (m *metrics) JobEnded(state string) { m.bulkEnds.WithLabelValues(state).Inc() }

// ControlUp states whether the control login works.
func (m *metrics) ControlUp(up bool) { m.controlUp.WithLabelValues().Set(oneIf(up)) }

// Pruned counts rows that were deleted from a ledger.
func (m *metrics) Pruned(rows revisions.Pruned) {
	for table, n := range map[string]int64{"promises": rows.Promises, "jobs": rows.Jobs, "revisions": rows.Revisions, "statements": rows.Statements, "anchors": rows.Anchors,
		"changes": rows.Changes} {
		m.pruned.WithLabelValues(table).Add(float64(n))
	}
}

// Reloaded notes that a configuration was put into force at that time, or why it was not.
func (m *metrics) Reloaded(at time.Time, err error) {
	if err != nil {
		m.reloadFailures.Inc()
		return
	}
	m.lastReload.Set(float64(at.UnixMilli()) / 1000)
}
