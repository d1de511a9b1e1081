package main

import (
	"log/slog"
	"reflect"
	"strings"
	"time"
)

// reload puts what has changed in the configuration into force while sessions are open.
type reload struct {
	source source
	config Config // in force
	plant  *plant
	level  *slog.LevelVar
	policy string // the version of what is in force since the last change
}

// run reads the configuration anew and returns the one that is in force then: the old one, if the new one is wrong.
func (r *reload) run() Config {
	log := r.plant.log
	changed, waiting, err := r.apply()
	r.plant.figures.Reloaded(time.Now(), err)
	if err != nil {
		r.plant.note("configuration refused", nil)
		log.Error("the configuration is wrong: the old one stays in force", "error", strings.ReplaceAll(err.Error(), "\n", "; "))
		return r.config
	}
	if len(waiting) > 0 {
		log.Warn("restart pgsluice for what has changed and is only read at the start", "keys", strings.Join(waiting, ", "))
	}
	log.Info("the configuration was read anew", "changed", strings.Join(changed, ", "))
	r.plant.note("configured", map[string]string{"changed": strings.Join(changed, ", "), "policy": r.policy, "mode": r.config.Mode})
	return r.config
}

// apply puts everything into force that can change, or nothing. It returns the keys that have changed, and those that wait for a restart.
func (r *reload) apply() (changed, waiting []string, err error) {
	read, _, err := r.source.load(knownRule)
	if err != nil {
		return nil, nil, err
	}
	next := r.config
	changed, waiting = next.take(read, r.live)
	session, err := r.plant.session(next)
	if err != nil {
		return nil, nil, err
	}
	if err := r.level.UnmarshalText([]byte(next.Log.Level)); err != nil {
		return nil, nil, err
	}
	r.plant.proxy.SetSession(*session)
	r.plant.proxy.SetLogins(next.Limits.LoginTimeout, next.Limits.MaxUnauthenticated, next.Limits.MaxUnauthenticatedPerAddress)
	if r.plant.keeper != nil {
		r.plant.keeper.configure(next)
	}
	r.config, r.policy = next, session.Policy.Version()
	return changed, waiting, nil
}

// live reports whether a key may change while sessions are open. Whoever began in mode pass has opened neither the trail nor the control login
// that every other mode needs.
func (r *reload) live(path string) bool {
	switch section, _, _ := strings.Cut(path, "."); section {
	case "rules", "exemptions", "conventions", "small_table", "lock", "deferred", "batch", "overrides", "revisions", "limits", "drain":
		return true
	case "mode":
		return r.plant.trail != nil
	}
	return path == "audit.required" || path == "log.level"
}

// take sets those keys of c that differ in the other configuration and may change; waiting are those that differ and may not.
func (c *Config) take(other Config, live func(path string) bool) (changed, waiting []string) {
	theirs := other.keys()
	for i, k := range c.keys() {
		ours, new := reflect.ValueOf(k.field).Elem(), reflect.ValueOf(theirs[i].field).Elem()
		switch {
		case reflect.DeepEqual(ours.Interface(), new.Interface()):
		case live(k.path):
			ours.Set(new)
			changed = append(changed, k.path)
		default:
			waiting = append(waiting, k.path)
		}
	}
	return changed, waiting
}
