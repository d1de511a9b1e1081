package main

import (
	"time"

	"github.com/pgsluice/pgsluice/internal/run"
)

// batchConfig is how large UPDATEs and DELETEs are cut into batches.
type batchConfig struct {
	MinRows      int64         `yaml:"min_rows"` // by the planner's estimate; fewer are run as they are
	TargetTime   time.Duration `yaml:"target_time"`
	MaxRows      int           `yaml:"max_rows"`
	MaxBytes     byteSize      `yaml:"max_bytes"`
	LockTimeout  time.Duration `yaml:"lock_timeout"` // for a row that somebody else has locked
	NiceRatio    float64       `yaml:"nice_ratio"`
	MaxThrottled time.Duration `yaml:"max_throttled"`
	NoticeEvery  time.Duration `yaml:"notice_every"`
	Disconnect   string        `yaml:"disconnect"` // stop or continue
	// InTransaction is what becomes of a bulk write in a transaction: refuse or defer.
	InTransaction string         `yaml:"in_transaction"`
	Throttle      throttleConfig `yaml:"throttle"`
}

// throttleConfig is when jobs wait; 0, false or "" is off.
type throttleConfig struct {
	Every           time.Duration `yaml:"every"`
	ReplicaLag      time.Duration `yaml:"replica_lag"`
	ReplicaLagBytes byteSize      `yaml:"replica_lag_bytes"`
	Replicas        []string      `yaml:"replicas"` // application_name each; empty is all
	SlotRetention   float64       `yaml:"slot_retention"`
	LockWaiters     int           `yaml:"lock_waiters"`
	ActiveSessions  int           `yaml:"active_sessions"`
	WALRate         byteSize      `yaml:"wal_rate"`
	ArchiveBacklog  int           `yaml:"archive_backlog"`
	Autovacuum      bool          `yaml:"autovacuum"`
	Query           string        `yaml:"query"`
}

func defaultBatch() batchConfig {
	return batchConfig{
		MinRows: 10_000, TargetTime: 300 * time.Millisecond, MaxRows: 50_000, MaxBytes: 64 << 20, LockTimeout: 100 * time.Millisecond,
		MaxThrottled: time.Hour, NoticeEvery: 10 * time.Second, Disconnect: "stop", InTransaction: "refuse",
		Throttle: throttleConfig{
			Every: 500 * time.Millisecond, ReplicaLag: 5 * time.Second, ReplicaLagBytes: 128 << 20, SlotRetention: 50, LockWaiters: 1,
			ArchiveBacklog: 42, Autovacuum: true,
		},
	}
}

// options is the same as the engine wants it.
func (b batchConfig) options() run.BatchOptions {
	return run.BatchOptions{
		TargetTime: b.TargetTime, MaxRows: b.MaxRows, MaxBytes: int64(b.MaxBytes), LockTimeout: b.LockTimeout, NiceRatio: b.NiceRatio,
		MaxThrottled: b.MaxThrottled, NoticeEvery: b.NoticeEvery, GoOnAlone: b.Disconnect == "continue",
	}
}

func (t throttleConfig) options() run.ThrottleOptions {
	return run.ThrottleOptions{
		Every: t.Every, ReplicaLag: t.ReplicaLag, ReplicaLagBytes: int64(t.ReplicaLagBytes), Replicas: t.Replicas, SlotRetention: t.SlotRetention,
		LockWaiters: t.LockWaiters, ActiveSessions: t.ActiveSessions, WALRate: int64(t.WALRate), ArchiveBacklog: t.ArchiveBacklog,
		Autovacuum: t.Autovacuum, Query: t.Query,
	}
}

func (b batchConfig) validate(v *validation) {
	v.atLeast("batch.min_rows", b.MinRows, 1)
	if b.TargetTime < 10*time.Millisecond || b.TargetTime > time.Minute {
		v.add("batch.target_time", "300ms keeps others waiting for no longer than about half a second", "must be from 10ms to 1m")
	}
	v.atLeast("batch.max_rows", int64(b.MaxRows), 1)
	v.atLeast("batch.max_bytes", int64(b.MaxBytes), 1)
	if b.LockTimeout < time.Millisecond {
		v.add("batch.lock_timeout", "", "must be at least 1ms")
	}
	if !(b.NiceRatio >= 0 && b.NiceRatio <= 100) { // NaN is neither
		v.add("batch.nice_ratio", "", "must be from 0 to 100")
	}
	v.positive("batch.max_throttled", b.MaxThrottled)
	v.positive("batch.notice_every", b.NoticeEvery)
	v.oneOf("batch.disconnect", b.Disconnect, "stop", "continue")
	v.oneOf("batch.in_transaction", b.InTransaction, "refuse", "defer")
	t := b.Throttle
	if t.Every < 100*time.Millisecond {
		v.add("batch.throttle.every", "", "must be at least 100ms")
	}
	v.names("batch.throttle.replicas", t.Replicas)
	if !(t.SlotRetention >= 0 && t.SlotRetention <= 100) {
		v.add("batch.throttle.slot_retention", "", "must be from 0 to 100, in percent")
	}
	v.atLeast("batch.throttle.lock_waiters", int64(t.LockWaiters), 0)
	v.atLeast("batch.throttle.active_sessions", int64(t.ActiveSessions), 0)
	v.atLeast("batch.throttle.archive_backlog", int64(t.ArchiveBacklog), 0)
}
