package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
)

// exemptionConfig is a policy.Exemption as it is written.
type exemptionConfig struct {
	Rules        []string `yaml:"rules"`
	Tables       []string `yaml:"tables"`
	Roles        []string `yaml:"roles"`
	Databases    []string `yaml:"databases"`
	Applications []string `yaml:"applications"`
	Revisions    []string `yaml:"revisions"`
	When         string   `yaml:"when"`
	Until        string   `yaml:"until"` // a day, the last one, in UTC; or a time of RFC 3339
	Reason       string   `yaml:"reason"`

	origin string // where it is written
}

// exemptions are the exemptions as the policy wants them.
func (c *Config) exemptions() ([]policy.Exemption, error) {
	var list []policy.Exemption
	var problems []error
	for i, e := range c.Exemptions {
		until, err := parseUntil(e.Until)
		if err != nil {
			problems = append(problems, &policy.ExemptionError{Index: i, Key: "until", Item: -1, Message: err.Error()})
		}
		list = append(list, policy.Exemption{
			Rules: e.Rules, Tables: e.Tables, Roles: e.Roles, Databases: e.Databases, Applications: e.Applications, Revisions: e.Revisions,
			When: e.When, Until: until, Reason: e.Reason, Origin: e.origin,
		})
	}
	return list, errors.Join(problems...)
}

// parseUntil reads the end of an exemption: a day lasts to its end, in UTC. "" has no end.
func parseUntil(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	return time.Time{}, errors.New("must be a day like 2027-01-31, or a time like 2027-01-31T18:00:00+01:00")
}

// validateExemptions adds what is wrong with the exemptions.
func (c *Config) validateExemptions(v *validation) {
	list, err := c.exemptions()
	v.exemptionErrors(err)
	_, err = policy.NewSet(rules.All(), policy.Settings{Exemptions: list})
	v.exemptionErrors(err)
}

func (v *validation) exemptionErrors(err error) {
	if err == nil {
		return
	}
	all := []error{err}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		all = joined.Unwrap()
	}
	for _, one := range all {
		var e *policy.ExemptionError
		if !errors.As(one, &e) {
			v.add("exemptions", "", "%s", one)
			continue
		}
		key := fmt.Sprintf("exemptions[%d].%s", e.Index, e.Key)
		if e.Item >= 0 {
			key += fmt.Sprintf("[%d]", e.Item)
		}
		v.errors = append(v.errors, &keyError{key: key, message: e.Message, hint: e.Hint, line: e.Line, column: e.Column})
	}
}
