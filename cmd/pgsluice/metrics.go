package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the figures of one process, in a registry of their own. Its methods may be called from any goroutine. The
// packages that count declare the few methods that they call as an interface of theirs. No label holds text that a client chose.
type metrics struct {
	registry *prometheus.Registry

	judged              *prometheus.CounterVec
	parsed, prefiltered prometheus.Counter
	toServer, toClient  prometheus.Counter
	stepsRun            prometheus.Counter
	stepsFailed         prometheus.Counter
	promises            *prometheus.GaugeVec
	deferred            *prometheus.GaugeVec
	oldest              *prometheus.GaugeVec
	lockTries           prometheus.Counter
	lockWaits           *prometheus.HistogramVec
	blockers            *prometheus.CounterVec
	builds              *prometheus.GaugeVec
	refusals            *prometheus.CounterVec
	reloadFailures      prometheus.Counter
	lastReload          prometheus.Gauge
}

func newMetrics() *metrics {
	registry := prometheus.NewRegistry()
	with := promauto.With(registry)
	counter := func(name, help string) prometheus.Counter {
		return with.NewCounter(prometheus.CounterOpts{Namespace: "pgsluice", Name: name, Help: help})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return with.NewCounterVec(prometheus.CounterOpts{Namespace: "pgsluice", Name: name, Help: help}, labels)
	}
	gauges := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return with.NewGaugeVec(prometheus.GaugeOpts{Namespace: "pgsluice", Name: name, Help: help}, labels)
	}
	statements := counters("statements_total", "Statements received, by what the prefilter did: passed them unread, or had them parsed.", "prefilter")
	bytes := counters("forwarded_bytes_total", "Bytes of the Postgres protocol forwarded.", "direction")

	return &metrics{
		registry:    registry,
		judged:      counters("statements_judged_total", "Statements judged, by verdict and by the rule that decided; no rule for pass.", "verdict", "rule"),
		parsed:      statements.WithLabelValues("parsed"),
		prefiltered: statements.WithLabelValues("passed"),
		toServer:    bytes.WithLabelValues("to_server"),
		toClient:    bytes.WithLabelValues("to_client"),
		stepsRun:    counter("plan_steps_run_total", "Steps of plans that were run, whatever came of them."),
		stepsFailed: counter("plan_steps_failed_total", "Steps of plans that failed for good."),
		promises:    gauges("promises", "Promises in the ledger that are not kept yet.", "database", "state"),
		deferred:    gauges("deferred_pending", "Deferred work in the ledger that is not done yet and not failed.", "database"),
		oldest:      gauges("deferred_oldest_age_seconds", "Age of the oldest deferred work that is not done, failed or not; 0 for none.", "database"),
		lockTries:   counter("lock_tries_total", "Tries for locks that others would queue behind."),
		lockWaits: with.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "pgsluice", Name: "lock_wait_seconds", Help: "Time until such a lock was got or given up, pauses included.",
			Buckets: []float64{.01, .05, .2, 1, 5, 30, 120, 600},
		}, []string{"outcome"}),
		blockers:       counters("lock_blockers_total", "Sessions and prepared transactions seen in the way of such a lock or of a concurrent build.", "kind"),
		builds:         gauges("build_done_ratio", "How much of its phase a concurrent build that runs now has done.", "pid", "phase"),
		reloadFailures: counter("config_reload_failures_total", "Configurations that were read on SIGHUP and not put into force, because they were wrong."),
		lastReload: with.NewGauge(prometheus.GaugeOpts{
			Namespace: "pgsluice", Name: "config_last_reload_success_timestamp_seconds", Help: "When a configuration was last put into force; the start counts.",
		}),
		refusals: counters("refusals_total", "Connections and statements refused by pgsluice itself.", "reason"),
	}
}

// handler serves the figures in Prometheus's text format, or in OpenMetrics where the scraper asks for it.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Sessions has the number of sessions asked for whenever the figures are. It is called once.
func (m *metrics) Sessions(count func() int) {
	promauto.With(m.registry).NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "pgsluice", Name: "sessions", Help: "Sessions that are open now.",
	}, func() float64 { return float64(count()) })
}

// StatementParsed counts a statement that the prefilter had parsed.
func (m *metrics) StatementParsed() { m.parsed.Inc() }

// StatementPassed counts a statement that the prefilter let through unread.
func (m *metrics) StatementPassed() { m.prefiltered.Inc() }

// StatementJudged counts a verdict (pass, warn, rewrite or block) and the rule that decided it, "" for none.
func (m *metrics) StatementJudged(verdict, rule string) {
	m.judged.WithLabelValues(verdict, rule).Inc()
}

// BytesToServer counts n bytes forwarded from client to server.
func (m *metrics) BytesToServer(n int) { m.toServer.Add(float64(n)) }

// BytesToClient counts n bytes forwarded from server to client.
func (m *metrics) BytesToClient(n int) { m.toClient.Add(float64(n)) }

// StepRun counts a step of a plan that was run, well or not.
func (m *metrics) StepRun() { m.stepsRun.Inc() }

// StepFailed counts, beside StepRun, a step that failed for good.
func (m *metrics) StepFailed() { m.stepsFailed.Inc() }

// Promises states how many promises of a database are pending and how many have failed, as the ledger was last read, and how old the oldest is.
func (m *metrics) Promises(database string, pending, failed int, oldest time.Duration) {
	m.deferred.WithLabelValues(database).Set(float64(pending))
	m.oldest.WithLabelValues(database).Set(oldest.Seconds())
	m.promises.WithLabelValues(database, "pending").Set(float64(pending))
	m.promises.WithLabelValues(database, "failed").Set(float64(failed))
}

// LockTried counts the tries for a lock, and how long they took.
func (m *metrics) LockTried(tries int, waited time.Duration, got bool) {
	m.lockTries.Add(float64(tries))
	m.lockWaits.WithLabelValues(map[bool]string{true: "got", false: "failed"}[got]).Observe(waited.Seconds())
}

// Blocked counts somebody in the way, of a fixed set of kinds.
func (m *metrics) Blocked(kind string) { m.blockers.WithLabelValues(kind).Inc() }

// Building states how far a build is; phase is the server's word, "" when it has ended.
func (m *metrics) Building(pid int, phase string, done float64) {
	m.builds.DeletePartialMatch(prometheus.Labels{"pid": strconv.Itoa(pid)})
	if phase != "" {
		m.builds.WithLabelValues(strconv.Itoa(pid), phase).Set(done)
	}
}

// Refused counts a connection or a statement that pgsluice itself refused. reason is the name of a rule or a word of a
// fixed set, such as too_many_unauthenticated.
func (m *metrics) Refused(reason string) { m.refusals.WithLabelValues(reason).Inc() }

// Reloaded notes that a configuration was put into force at that time, or why it was not.
func (m *metrics) Reloaded(at time.Time, err error) {
	if err != nil {
		m.reloadFailures.Inc()
		return
	}
	m.lastReload.Set(float64(at.UnixMilli()) / 1000)
}
