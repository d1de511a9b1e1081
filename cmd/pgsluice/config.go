package main

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/proxy"
)

// unixPrefix marks an address in listen that is DIRECTORY:PORT of a Unix socket.
const unixPrefix = "unix:"

// Config is the whole configuration, one section per part of the program. Its yaml tags are the keys of config.yaml and,
// in upper case behind PGSLUICE_, the names of the environment variables. The zero value is not usable; begin with defaultConfig.
type Config struct {
	// Listen holds the addresses that clients connect to, at least one: HOST:PORT, or unix:DIRECTORY:PORT of a socket that
	// libpq finds with host=DIRECTORY.
	Listen   []string          `yaml:"listen"`
	Upstream upstreamConfig    `yaml:"upstream"`
	TLS      tlsConfig         `yaml:"tls"`
	Control  controlConfig     `yaml:"control"`
	Mode     string            `yaml:"mode"`  // enforce, observe or pass
	Rules    map[string]string `yaml:"rules"` // rule name to block, rewrite, warn or off; a rule that is not named keeps its default
	// Exemptions take findings out of force; the first that covers a finding counts.
	Exemptions  []exemptionConfig `yaml:"exemptions"`
	Conventions conventionsConfig `yaml:"conventions"`
	Small       smallConfig       `yaml:"small_table"`
	Lock        lockConfig        `yaml:"lock"`
	Deferred    deferredConfig    `yaml:"deferred"`
	Batch       batchConfig       `yaml:"batch"`
	Overrides   overridesConfig   `yaml:"overrides"`
	Revisions   revisionsConfig   `yaml:"revisions"`
	Audit       auditConfig       `yaml:"audit"`
	Limits      limitsConfig      `yaml:"limits"`
	Drain       drainConfig       `yaml:"drain"`
	Metrics     metricsConfig     `yaml:"metrics"`
	Log         logConfig         `yaml:"log"`
}

// upstreamConfig is the server behind the proxy. Its words are libpq's.
type upstreamConfig struct {
	Host               string        `yaml:"host"` // a name, an address, or the directory of a Unix socket
	Port               int           `yaml:"port"`
	Hosts              []string      `yaml:"hosts"` // HOST or HOST:PORT, tried in order; takes the place of Host when not empty
	TargetSessionAttrs string        `yaml:"target_session_attrs"`
	SSLMode            string        `yaml:"sslmode"`
	SSLRootCert        string        `yaml:"sslrootcert"`     // a PEM file, or "system"; "" verifies nothing
	ConnectTimeout     time.Duration `yaml:"connect_timeout"` // for each host
	ConnectAhead       time.Duration `yaml:"connect_ahead"`   // 0: no connection is opened ahead of its login
}

// Addresses returns every server to try, in order.
func (u upstreamConfig) Addresses() []proxy.Address {
	if len(u.Hosts) == 0 {
		return []proxy.Address{{Host: u.Host, Port: u.Port}}
	}
	addresses := make([]proxy.Address, len(u.Hosts))
	for i, host := range u.Hosts {
		addresses[i] = proxy.Address{Host: strings.Trim(host, "[]"), Port: u.Port}
		if _, _, err := net.SplitHostPort(host); err != nil {
			continue
		}
		if address, err := proxy.ParseAddress(host); err == nil { // else Validate has said so
			addresses[i] = address
		}
	}
	return addresses
}

// tlsConfig is TLS between the clients and the proxy. All files are PEM.
type tlsConfig struct {
	Mode     string `yaml:"mode"` // off, allow or require
	Cert     string `yaml:"cert"`
	Key      string `yaml:"key"`
	ClientCA string `yaml:"client_ca"` // "" asks clients for no certificate
}

// controlConfig is the proxy's own login, with which it reads and writes the ledger and watches the server.
type controlConfig struct {
	DSN            dsn           `yaml:"dsn"`       // "" is no login: nothing is deferred, no blocker is named
	Required       bool          `yaml:"required"`  // refuse to start without it; /readyz is not ready while it fails
	Databases      []string      `yaml:"databases"` // visited after a crash; empty is every database that holds a ledger
	MaxConnections int           `yaml:"max_connections"`
	Idle           time.Duration `yaml:"idle"`
}

// smallConfig is the size up to which a table may be scanned or rewritten in place. Both limits must hold.
type smallConfig struct {
	Rows  int64    `yaml:"rows"`
	Bytes byteSize `yaml:"bytes"`
}

// lockConfig is how a step waits for a lock that blocks readers or writers.
type lockConfig struct {
	Timeout    time.Duration `yaml:"timeout"`     // lock_timeout of the first try
	MaxTimeout time.Duration `yaml:"max_timeout"` // lock_timeout of the last rung; only an autovacuum in the way makes a try longer
	Budget     time.Duration `yaml:"budget"`      // of all tries of one step together
	// MaxQueueWait is how long others may wait behind a try.
	MaxQueueWait time.Duration `yaml:"max_queue_wait"`
	// CancelBlockers is after how many tries in vain whoever is in the way is ended; 0 is never.
	CancelBlockers int64 `yaml:"cancel_blockers"`
	// OldTransaction is how old a transaction is that a concurrent build waits for before it begins.
	OldTransaction time.Duration `yaml:"old_transaction"`
}

// options is the same as plans want it.
func (l lockConfig) options() run.Options {
	return run.Options{
		FirstTry: l.Timeout, LongestTry: l.MaxTimeout, LockBudget: l.Budget, MaxQueueWait: l.MaxQueueWait,
		CancelBlockers: int(l.CancelBlockers), OldTransaction: l.OldTransaction,
	}
}

// deferredConfig is work that must wait for the client's COMMIT.
type deferredConfig struct {
	Enabled bool `yaml:"enabled"`
	// OnFailure is how a COMMIT is answered whose promise has failed for good: with an error, or a warning (warn).
	OnFailure string `yaml:"on_failure"`
	OnFailed  string `yaml:"on_failed"` // block or warn: the next schema change while a promise of the database is failed
}

// overridesConfig says whose overrides count.
type overridesConfig struct {
	Roles []string `yaml:"roles"` // logins (session_user) that may override a rule in mode block
}

// auditConfig is the audit trail.
type auditConfig struct {
	File     string `yaml:"file"` // "" is the log, "-" is standard output, "syslog:…" a syslog
	Required bool   `yaml:"required"`
}

// limitsConfig is what one client may cost.
type limitsConfig struct {
	InspectBytes                 byteSize      `yaml:"inspect_bytes"`
	LoginTimeout                 time.Duration `yaml:"login_timeout"`
	MaxUnauthenticated           int           `yaml:"max_unauthenticated"`
	MaxUnauthenticatedPerAddress int           `yaml:"max_unauthenticated_per_address"`
}

// drainConfig is the end of the process.
type drainConfig struct {
	Timeout time.Duration `yaml:"timeout"` // 0 waits until the last session has ended
}

// metricsConfig is the HTTP listener for /metrics, /healthz and /readyz.
type metricsConfig struct {
	Listen string `yaml:"listen"` // "" is none
}

// logConfig is the log on standard error.
type logConfig struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// defaultConfig returns what holds when nothing is configured. config.yaml says the same with a comment for each key.
func defaultConfig() Config {
	return Config{
		Listen: []string{"127.0.0.1:6432"},
		Upstream: upstreamConfig{
			Host: "127.0.0.1", Port: 5432, TargetSessionAttrs: "any", SSLMode: "prefer", ConnectTimeout: 10 * time.Second,
			ConnectAhead: proxy.DefaultConnectAhead,
		},
		TLS:     tlsConfig{Mode: "off"},
		Control: controlConfig{MaxConnections: 8, Idle: 10 * time.Second},
		Mode:    "enforce",
		Small:   smallConfig{Rows: 10_000, Bytes: 1 << 20},
		// The ladder was measured: applications wait about as long as the longest try.
		Lock: lockConfig{
			Timeout: 50 * time.Millisecond, MaxTimeout: 500 * time.Millisecond, Budget: 10 * time.Minute,
			MaxQueueWait: 200 * time.Millisecond, OldTransaction: 5 * time.Second,
		},
		Deferred: deferredConfig{Enabled: true, OnFailure: "error", OnFailed: "block"},
		Batch:    defaultBatch(),
		Limits: limitsConfig{
			InspectBytes: 1 << 20, LoginTimeout: time.Minute, MaxUnauthenticated: 500, MaxUnauthenticatedPerAddress: 100,
		},
		Revisions: revisionsConfig{Exclusive: "off", Keep: 365 * 24 * time.Hour},
		Audit:     auditConfig{Required: true},
		// Orchestrators kill 30 s after SIGTERM.
		Drain: drainConfig{Timeout: 25 * time.Second},
		Log:   logConfig{Level: "info", Format: "text"},
	}
}

// checkRule says whether a rule exists and may be set to action (block, rewrite, warn or off); its error is one line
// without the rule's name.
type checkRule func(name, action string) error

// Validate returns what is wrong with c, all of it, as configErrors; nil if nothing is. It reads no file and connects to
// nothing. The names of rules are left to check; nil accepts every name.
func (c *Config) Validate(check checkRule) error {
	v := validation{}
	v.listen("listen", c.Listen)
	c.Upstream.validate(&v)
	c.TLS.validate(&v)
	c.Control.validate(&v)
	v.oneOf("mode", c.Mode, "enforce", "observe", "pass")
	c.validateExemptions(&v)
	c.Conventions.validate(&v)
	for _, name := range sortedKeys(c.Rules) {
		key := "rules." + name
		if v.oneOf(key, c.Rules[name], "block", "rewrite", "warn", "off") && check != nil {
			if err := check(name, c.Rules[name]); err != nil {
				v.add(key, "run pgsluice rules for the names", "%s", err)
			}
		}
	}
	v.atLeast("small_table.rows", c.Small.Rows, 0)
	c.Lock.validate(&v)
	v.oneOf("deferred.on_failure", c.Deferred.OnFailure, "error", "warn")
	c.Batch.validate(&v)
	v.oneOf("deferred.on_failed", c.Deferred.OnFailed, "block", "warn")
	v.names("overrides.roles", c.Overrides.Roles)
	c.Revisions.validate(&v)
	v.atLeast("limits.inspect_bytes", int64(c.Limits.InspectBytes), 1)
	v.positive("limits.login_timeout", c.Limits.LoginTimeout)
	v.atLeast("limits.max_unauthenticated", int64(c.Limits.MaxUnauthenticated), 1)
	v.atLeast("limits.max_unauthenticated_per_address", int64(c.Limits.MaxUnauthenticatedPerAddress), 1)
	if strings.HasPrefix(c.Audit.File, syslogPrefix) {
		if _, _, err := syslogTarget(c.Audit.File); err != nil {
			v.add("audit.file", "", "%s", err)
		}
	}
	if c.Metrics.Listen != "" {
		v.hostPort("metrics.listen", c.Metrics.Listen)
	}
	v.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	v.oneOf("log.format", c.Log.Format, "text", "json")
	return v.errors.orNil()
}

func (u upstreamConfig) validate(v *validation) {
	if len(u.Hosts) == 0 {
		v.host("upstream.host", u.Host)
	}
	v.port("upstream.port", strconv.Itoa(u.Port))
	for i, host := range u.Hosts {
		key := fmt.Sprintf("upstream.hosts[%d]", i)
		if name, port, err := net.SplitHostPort(host); err == nil {
			host = name
			v.port(key, port)
		}
		v.host(key, strings.Trim(host, "[]"))
	}
	v.oneOf("upstream.target_session_attrs", u.TargetSessionAttrs, "any", "read-write")
	v.positive("upstream.connect_timeout", u.ConnectTimeout)
	if !v.oneOf("upstream.sslmode", u.SSLMode, "disable", "prefer", "require", "verify-ca", "verify-full") {
		return
	}
	if u.SSLRootCert == "" && strings.HasPrefix(u.SSLMode, "verify-") {
		v.add("upstream.sslrootcert", "", `must be a PEM file, or "system", when upstream.sslmode is %s`, u.SSLMode)
		v.because("upstream.sslmode")
	}
	if u.SSLRootCert == "system" && u.SSLMode != "verify-full" {
		v.add("upstream.sslmode", "", `must be verify-full when upstream.sslrootcert is "system": anybody can have a certificate of a public authority`)
	}
}

func (t tlsConfig) validate(v *validation) {
	if !v.oneOf("tls.mode", t.Mode, "off", "allow", "require") {
		return
	}
	if t.Mode == "off" {
		if t.Cert != "" || t.Key != "" || t.ClientCA != "" {
			v.add("tls.mode", "set tls.mode to allow or require, or remove the files", "is off, but tls.cert, tls.key or tls.client_ca is set")
		}
		return
	}
	if t.Cert == "" {
		v.add("tls.cert", "", "must be a PEM file when tls.mode is %s", t.Mode)
		v.because("tls.mode")
	}
	if t.Key == "" {
		v.add("tls.key", "", "must be a PEM file when tls.mode is %s", t.Mode)
		v.because("tls.mode")
	}
}

func (c controlConfig) validate(v *validation) {
	if c.DSN == "" && c.Required {
		v.add("control.dsn", "give the proxy a login of its own, or set control.required to false", "must not be empty when control.required is true")
		v.because("control.required")
	}
	if c.DSN != "" {
		// The parser's own error is left out: it quotes parts of the string, and one of them may be the password.
		if _, err := pgconn.ParseConfig(string(c.DSN)); err != nil {
			v.add("control.dsn", `write it like postgres://pgsluice@db.internal:5432/app or "host=db.internal user=pgsluice dbname=app"; psql says what is wrong with it`,
				"is not a usable connection string")
		}
	}
	v.names("control.databases", c.Databases)
	v.atLeast("control.max_connections", int64(c.MaxConnections), 1)
	v.positive("control.idle", c.Idle)
}

func (l lockConfig) validate(v *validation) {
	v.positive("lock.timeout", l.Timeout)
	v.positive("lock.max_queue_wait", l.MaxQueueWait)
	v.atLeast("lock.cancel_blockers", l.CancelBlockers, 0)
	v.positive("lock.old_transaction", l.OldTransaction)
	if l.MaxTimeout < l.Timeout {
		v.add("lock.max_timeout", "", "must not be shorter than lock.timeout (%s)", l.Timeout)
		v.because("lock.timeout")
	}
	if l.Budget < l.MaxTimeout {
		v.add("lock.budget", "", "must not be shorter than lock.max_timeout (%s)", l.MaxTimeout)
		v.because("lock.max_timeout")
	}
}

// hostName is more than DNS allows (Docker has names with underscores) and less than a connection string needs.
var hostName = regexp.MustCompile(`^[\pL\pN_]([\pL\pN_.-]*[\pL\pN_.])?$`)

// validation collects errors. No message quotes a value: a connection string may stand where it does not belong.
type validation struct{ errors configErrors }

func (v *validation) add(key, hint, format string, args ...any) {
	v.errors = append(v.errors, &keyError{key: key, message: fmt.Sprintf(format, args...), hint: hint})
}

// because names the other key that the last error comes from: one of the two may have a place in the file.
func (v *validation) because(key string) { v.errors[len(v.errors)-1].cause = key }

func (v *validation) oneOf(key, value string, allowed ...string) bool {
	if slices.Contains(allowed, value) {
		return true
	}
	last := len(allowed) - 1
	v.add(key, "", "must be %s or %s", strings.Join(allowed[:last], ", "), allowed[last])
	return false
}

func (v *validation) atLeast(key string, value, least int64) {
	if value < least {
		v.add(key, "", "must be at least %d", least)
	}
}

func (v *validation) positive(key string, value time.Duration) {
	if value <= 0 {
		v.add(key, "", "must be longer than 0")
	}
}

func (v *validation) names(key string, names []string) {
	for i, name := range names {
		if name == "" {
			v.add(fmt.Sprintf("%s[%d]", key, i), "", "must not be empty")
		}
	}
}

func (v *validation) listen(key string, addresses []string) {
	if len(addresses) == 0 {
		v.add(key, "", "must name at least one address")
	}
	for i, address := range addresses {
		item := fmt.Sprintf("%s[%d]", key, i)
		socket, unix := strings.CutPrefix(address, unixPrefix)
		if !unix && !strings.HasPrefix(address, "/") {
			v.hostPort(item, address)
			continue
		}
		directory, port, err := net.SplitHostPort(socket)
		if err != nil || !unix || !filepath.IsAbs(directory) {
			v.add(item, "", "must be unix:DIRECTORY:PORT, like unix:/run/pgsluice:6432")
			continue
		}
		v.port(item, port)
	}
}

func (v *validation) hostPort(key, address string) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		v.add(key, "", "must be HOST:PORT")
		return
	}
	// A listener may ask for port 0, any free one.
	if port != "0" {
		v.port(key, port)
	}
}

// host accepts a name, an address or a directory. It is strict because the first thing that is done with a host is to print it.
func (v *validation) host(key, host string) {
	if _, err := netip.ParseAddr(host); err != nil && !hostName.MatchString(host) && !filepath.IsAbs(host) {
		v.add(key, "", "must be a host name, an address, or the directory of a socket")
	}
}

func (v *validation) port(key, port string) {
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		v.add(key, "", "must have a port from 1 to 65535")
	}
}
