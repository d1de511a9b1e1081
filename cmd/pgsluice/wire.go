package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
	"github.com/pgsluice/pgsluice/proxy"
)

// plant is the proxy and everything behind it.
type plant struct {
	proxy            *proxy.Server
	checks, warnings []check
	keeper           *keeper        // nil without a control login
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
	p := &plant{}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	session, err := p.session(ctx, config, out, log, figures)
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
	figures.Sessions(p.proxy.Sessions)
	return p, nil
}

// session is what sessions decide by. In mode pass it needs nothing that could be broken.
func (p *plant) session(ctx context.Context, config Config, out outputs, log *slog.Logger, figures *metrics) (*proxy.SessionOptions, error) {
	options := &proxy.SessionOptions{
		Mode:          modes()[config.Mode],
		InspectLimit:  int(config.Limits.InspectBytes),
		Deferred:      config.Deferred.Enabled,
		BlockOnFailed: config.Deferred.OnFailed == "block",
		Lock:          config.Lock.options(),
		AuditRequired: config.Audit.Required,
		Name:          processName(),
		Meter:         figures,
		Log:           log,
	}
	if options.Mode == proxy.Transparent {
		log.Warn("mode is pass: every statement goes to the server as it came, nothing is judged or recorded")
		return options, nil
	}
	var err error
	if options.Policy, err = policySet(config); err != nil {
		return nil, err
	}
	if options.Audit, err = p.audit(config, out); err != nil {
		return nil, err
	}
	logins, err := p.control(ctx, config.Control, log)
	if err != nil || logins == nil {
		return options, err
	}
	options.Control = logins
	p.keeper = newKeeper(logins, config, options.Name, log, figures)
	p.checks = append(p.checks, check{name: "control", probe: p.keeper.ready})
	p.warnings = append(p.warnings, check{name: "ledger", probe: p.keeper.warning})
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
	actions, err := ruleActions(config)
	if err != nil {
		return nil, err
	}
	return policy.NewSet(rules.All(), policy.Settings{
		Actions:       actions,
		Small:         policy.Small{Rows: config.Small.Rows, Bytes: int64(config.Small.Bytes)},
		OverrideRoles: config.Overrides.Roles,
	})
}

// ruleActions are the actions that the configuration sets.
func ruleActions(config Config) (map[string]policy.Action, error) {
	actions := map[string]policy.Action{}
	for name, word := range config.Rules {
		action, err := policy.ParseAction(word)
		if err != nil {
			return nil, fmt.Errorf("rules.%s: %w", name, err)
		}
		actions[name] = action
	}
	return actions, nil
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
