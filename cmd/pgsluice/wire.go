package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
	"github.com/pgsluice/pgsluice/proxy"
	"github.com/pgsluice/pgsluice/revisions"
)

// plant is the proxy and everything behind it.
type plant struct {
	proxy            *proxy.Server
	checks, warnings []check
	name             string           // of this process in ledgers
	trail            *revisions.Audit // nil when it began in mode pass
	logins           *logins          // nil without a control login
	keeper           *keeper          // the same
	figures          *metrics
	log              *slog.Logger
	close            []func() error // to be called when the proxy and the keeper have ended, the last first
}

// Close ends what the sessions used.
func (p *plant) Close() error {
	var failed error
	for i := len(p.close) - 1; i >= 0; i-- {
		failed = errors.Join(failed, p.close[i]())
	}
	return failed
}

// build wires the proxy and everything behind it. After an error nothing is left open.
func build(ctx context.Context, config Config, out outputs, log *slog.Logger, figures *metrics) (_ *plant, err error) {
	p := &plant{name: processName(), figures: figures, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if err := p.equip(ctx, config, out); err != nil {
		return nil, err
	}
	session, err := p.session(config)
	if err != nil {
		return nil, err
	}
	p.proxy, err = proxy.New(proxy.Options{
		Upstream: proxy.Upstream{
			Addresses:          config.Upstream.Addresses(),
			TargetSessionAttrs: config.Upstream.TargetSessionAttrs,
			SSLMode:            proxy.SSLMode(config.Upstream.SSLMode),
			SSLRootCert:        config.Upstream.SSLRootCert,
			ConnectTimeout:     config.Upstream.ConnectTimeout,
			ConnectAhead:       config.Upstream.ConnectAhead,
		},
		TLS: proxy.ClientTLS{
			Mode:     proxy.TLSMode(config.TLS.Mode),
			CertFile: config.TLS.Cert,
			KeyFile:  config.TLS.Key,
			CAFile:   config.TLS.ClientCA,
		},
		LoginTimeout:        config.Limits.LoginTimeout,
		MaxLogins:           config.Limits.MaxUnauthenticated,
		MaxLoginsPerAddress: config.Limits.MaxUnauthenticatedPerAddress,
		Session:             session,
		Log:                 log,
	})
	if err != nil {
		return nil, err
	}
	figures.Proxy(p.proxy.Sessions, p.proxy.Traffic)
	p.close = append(p.close, func() error { p.note("stopped", nil); return nil })
	p.note("started", map[string]string{"process": p.name, "version": buildVersion(), "policy": session.Policy.Version(), "mode": config.Mode})
	return p, nil
}

// equip opens what sessions use. In mode pass there is nothing that could be broken.
func (p *plant) equip(ctx context.Context, config Config, out outputs) error {
	if modes()[config.Mode] == proxy.Transparent {
		return nil
	}
	var err error
	if p.trail, err = p.audit(config, out); err != nil {
		return err
	}
	p.figures.Trail(p.trail.Broken)
	if p.logins, err = p.control(ctx, config.Control, p.log); err != nil || p.logins == nil {
		return err
	}
	p.anchor(ctx)
	p.keeper = newKeeper(p.logins, config, p.name, p.log, p.figures)
	p.keeper.trail = p.trail
	p.checks = append(p.checks, check{name: "control", probe: p.keeper.ready})
	p.warnings = append(p.warnings, check{name: "ledger", probe: p.keeper.warning})
	return nil
}

// anchor has the audit trail anchored until the plant is closed.
func (p *plant) anchor(ctx context.Context) {
	a := &anchorer{trail: p.trail, logins: p.logins, name: p.name, log: p.log, every: anchorEvery}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { a.run(ctx) })
	p.close = append(p.close, func() error {
		stop()
		running.Wait()
		return nil
	})
}

// session is what sessions decide by.
func (p *plant) session(config Config) (*proxy.SessionOptions, error) {
	set, err := policySet(config)
	if err != nil {
		return nil, err
	}
	if modes()[config.Mode] == proxy.Transparent {
		p.log.Warn("mode is pass: every statement goes to the server as it came, nothing is judged or recorded")
	}
	p.log.Info("decisions are made by this policy from now on", "policy", set.Version(), "mode", config.Mode)
	for _, e := range set.Expired(time.Now()) {
		p.log.Warn("an exemption has expired and does not count", "exemption", e.Origin, "until", e.Until, "reason", e.Reason)
	}
	options := &proxy.SessionOptions{
		Mode:          modes()[config.Mode],
		Policy:        set,
		InspectLimit:  int(config.Limits.InspectBytes),
		Deferred:      config.Deferred.Enabled,
		WarnOnFailure: config.Deferred.OnFailure == "warn",
		BlockOnFailed: config.Deferred.OnFailed == "block",
		BulkRows:      config.Batch.MinRows,
		Lock:          config.Lock.options(),
		Throttle:      config.Batch.Throttle.options(),
		DeferWrites:   config.Batch.InTransaction == "defer",
		Audit:         p.trail,
		AuditRequired: config.Audit.Required,
		Name:          p.name,
		Meter:         p.figures,
		Log:           p.log,
	}
	options.Tools, options.VersionTables = config.Revisions.tools()
	options.Exclusive = map[string]proxy.Exclusive{"off": proxy.Together, "wait": proxy.OneWaits, "refuse": proxy.OneRefused}[config.Revisions.Exclusive]
	options.Lock.Batch, options.Lock.Name = config.Batch.options(), p.name
	if p.logins != nil {
		options.Control = p.logins
	}
	return options, nil
}

func modes() map[string]proxy.Mode {
	return map[string]proxy.Mode{"enforce": proxy.Enforce, "observe": proxy.Observe, "pass": proxy.Transparent}
}

// processName is this process's own name in ledgers.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), strings.ToLower(rand.Text()[:8]))
}

// policySet is the rules under the configuration.
func policySet(config Config) (*policy.Set, error) {
	settings, err := policySettings(config)
	if err != nil {
		return nil, err
	}
	return policy.NewSet(rules.All(), settings)
}

// policySettings is what the configuration says about the rules.
func policySettings(config Config) (policy.Settings, error) {
	actions := map[string]policy.Action{}
	for name, word := range config.Rules {
		action, err := policy.ParseAction(word)
		if err != nil {
			return policy.Settings{}, fmt.Errorf("rules.%s: %w", name, err)
		}
		actions[name] = action
	}
	exemptions, err := config.exemptions()
	if err != nil {
		return policy.Settings{}, err
	}
	agreed, err := config.Conventions.policy()
	if err != nil {
		return policy.Settings{}, fmt.Errorf("conventions.names: %w", err)
	}
	return policy.Settings{
		Actions:       actions,
		Exemptions:    exemptions,
		Conventions:   agreed,
		Small:         policy.Small{Rows: config.Small.Rows, Bytes: int64(config.Small.Bytes)},
		BulkRows:      config.Batch.MinRows,
		OverrideRoles: config.Overrides.Roles,
	}, nil
}

// knownRule is the checkRule of this program.
func knownRule(name, action string) error {
	parsed, err := policy.ParseAction(action)
	if err != nil {
		return err
	}
	_, err = policy.NewSet(rules.All(), policy.Settings{Actions: map[string]policy.Action{name: parsed}})
	return err
}
