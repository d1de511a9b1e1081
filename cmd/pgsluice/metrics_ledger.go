package main

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// ledgerFigures are the figures about ledgers, as each was last read. They are put together when they are asked for, so that nobody sees
// half of a ledger's. It implements prometheus.Collector.
type ledgerFigures struct {
	mu       sync.Mutex
	byDBName map[string]standing

	up, promises, pending, oldest, jobs, oldestJob, revisions, outOfBand *prometheus.Desc
}

func newLedgerFigures() *ledgerFigures {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(namespace+"_"+name, help, append([]string{"database"}, labels...), nil)
	}
	return &ledgerFigures{
		byDBName:  map[string]standing{},
		up:        desc("ledger_up", "1 while the ledger of the database can be used, 0 while it cannot."),
		promises:  desc("promises", "Promises in the ledger that are not kept yet, by state: pending or failed.", "state"),
		pending:   desc("deferred_pending", "Deferred work in the ledger that is not done yet and not failed."),
		oldest:    desc("deferred_oldest_age_seconds", "Age of the oldest deferred work that is not done, failed or not; 0 for none."),
		jobs:      desc("bulk_jobs", "Bulk writes in the ledger that are not done, by state: running, waiting, paused or stopped.", "state"),
		oldestJob: desc("bulk_oldest_age_seconds", "Age of the oldest bulk write that is not done; 0 for none."),
		revisions: desc("revisions",
			"Revisions in the ledger, by tool and by what became of each the last time: applied, taken back, running, failed, open, rolled back or lost.", "tool", "state"),
		outOfBand: desc("out_of_band_changes",
			"Schema changes of the last 24 hours that the server has written down and no proxy has judged. Absent while the server does not write down any."),
	}
}

// set states how the ledger of a database stands.
func (f *ledgerFigures) set(database string, now standing) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.byDBName[database] = now
}

// forget is for a ledger that is not looked after any more.
func (f *ledgerFigures) forget(database string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.byDBName, database)
}

// Describe implements prometheus.Collector.
func (f *ledgerFigures) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{f.up, f.promises, f.pending, f.oldest, f.jobs, f.oldestJob, f.revisions, f.outOfBand} {
		out <- desc
	}
}

// Collect implements prometheus.Collector. Of a ledger that cannot be read only that is known.
func (f *ledgerFigures) Collect(out chan<- prometheus.Metric) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for database, now := range f.byDBName {
		gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{database}, labels...)...)
		}
		gauge(f.up, oneIf(now.broken == nil))
		if now.broken != nil {
			continue
		}
		gauge(f.promises, float64(now.open), "pending")
		gauge(f.promises, float64(now.failed), "failed")
		gauge(f.pending, float64(now.open))
		gauge(f.oldest, now.oldest.Seconds())
		for _, state := range bulkStates() {
			gauge(f.jobs, float64(now.bulk[state]), state)
		}
		gauge(f.oldestJob, now.oldestBulk.Seconds())
		for _, of := range now.revisions {
			gauge(f.revisions, float64(of.Count), of.Tool, of.State)
		}
		if now.outOfBand >= 0 {
			gauge(f.outOfBand, float64(now.outOfBand))
		}
	}
}
