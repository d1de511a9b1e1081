package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/policy"
)

// conventionsConfig is policy.Conventions as it is written.
type conventionsConfig struct {
	Names           map[string]string `yaml:"names"`            // kind of object to a regular expression
	RequiredColumns []string          `yaml:"required_columns"` // of every new table
	Extensions      []string          `yaml:"extensions"`       // that migrations may create and update
}

func (c conventionsConfig) validate(v *validation) {
	for _, kind := range sortedKeys(c.Names) {
		key := "conventions.names." + kind
		if kinds := policy.NamedKinds(); !slices.Contains(kinds, kind) {
			v.add(key, "the kinds are "+strings.Join(kinds, ", "), "is no kind of object that has a convention")
		}
		if _, err := regexp.Compile(c.Names[kind]); err != nil {
			v.add(key, "the syntax is RE2's: ^[a-z][a-z0-9_]*$", "is not a regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
	}
	v.names("conventions.required_columns", c.RequiredColumns)
	v.names("conventions.extensions", c.Extensions)
}

// policy is the same as the policy wants it.
func (c conventionsConfig) policy() (policy.Conventions, error) {
	agreed := policy.Conventions{RequiredColumns: c.RequiredColumns, Extensions: c.Extensions}
	for kind, text := range c.Names {
		pattern, err := regexp.Compile(text)
		if err != nil {
			return policy.Conventions{}, err
		}
		if agreed.Names == nil {
			agreed.Names = map[string]*regexp.Regexp{}
		}
		agreed.Names[kind] = pattern
	}
	return agreed, nil
}
