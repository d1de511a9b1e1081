package main

import (
	"fmt"
	"os"
	"strings"
)

// source is everything that a configuration is put together from. A later field wins over an earlier one.
type source struct {
	file    string   // path of the YAML file; "" for none
	environ []string // NAME=VALUE, as os.Environ returns it
	flags   []assignment
}

// load puts a Config together from the defaults and the source, and validates it. unknown holds the PGSLUICE_ variables
// that no key answers to, with the nearest name if there is one; they are for the log and no error, since a newer or an
// older pgsluice may be meant. What is valid is looked at by also, in turn, whose errors are told like those of Validate. The error is a configErrors, or says
// that the file cannot be read.
func (s source) load(check checkRule, also ...func(Config) error) (config Config, unknown []unknownVariable, err error) {
	config = defaultConfig()
	keys := config.keys()

	var assignments []assignment
	if s.file != "" {
		text, err := os.ReadFile(s.file)
		if err != nil {
			return Config{}, nil, configErrors{{message: "cannot read the configuration: " + err.Error()}}
		}
		if assignments, err = parseFile(s.file, text); err != nil {
			return Config{}, nil, err
		}
	}
	fromEnvironment, unknown := readEnvironment(keys, s.environ)
	assignments = append(assignments, fromEnvironment...)
	assignments = append(assignments, s.flags...)

	var errs configErrors
	for _, a := range assignments {
		errs = append(errs, assign(keys, a)...)
	}
	if len(errs) > 0 {
		return Config{}, nil, errs
	}
	err = config.Validate(check)
	for _, look := range also {
		if err == nil {
			err = look(config)
		}
	}
	if err != nil {
		origins := map[string]origin{}
		note(origins, assignments)
		return Config{}, nil, located(err, origins)
	}
	return config, unknown, nil
}

// origin is where a key got its value, and where the characters of that stand, if it can be told.
type origin struct {
	text string
	at   place
}

// note adds the origins of assignments, and of what is inside of them.
func note(origins map[string]origin, assignments []assignment) {
	for _, a := range assignments {
		origins[a.path] = origin{a.origin, a.text}
		for i, item := range a.items {
			origins[fmt.Sprintf("%s[%d]", a.path, i)] = origin{text: item}
		}
		if sections, ok := a.value.([]section); ok {
			for _, inside := range sections {
				note(origins, inside)
			}
		}
	}
}

// located adds to the errors of Validate where each key got its value, or else what it is in.
func located(err error, origins map[string]origin) error {
	errs, ok := err.(configErrors)
	if !ok {
		return err
	}
	for _, e := range errs {
		from, known := origins[e.key]
		for path := e.key; !known && path != ""; from, known = origins[path] {
			path = path[:max(0, strings.LastIndexAny(path, ".["))]
		}
		if !known {
			from = origins[e.cause]
		}
		e.origin = from.text
		switch {
		case e.line == 0:
		case from.at.line > 0:
			e.origin = fmt.Sprintf("%s:%d:%d", from.at.file, from.at.line+e.line-1, from.at.column+e.column-1)
		default:
			e.message += fmt.Sprintf(", in its line %d at character %d", e.line, e.column)
		}
	}
	return errs
}

// keyError says what is wrong with one key.
type keyError struct {
	key     string // "" when the file itself is at fault
	origin  string // where the value stands; "" for a default
	cause   string // another key that makes the value a wrong one, whose place is told where this one is a default; "" for none
	message string
	hint    string // "" for none
	// line and column are where in the value, from 1, in characters; 0 for the whole.
	line, column int
}

func (e *keyError) Error() string {
	text := e.message
	for _, where := range []string{e.key, e.origin} {
		if where != "" {
			text = where + ": " + text
		}
	}
	return text
}

// Hint says what to change; "" for nothing.
func (e *keyError) Hint() string { return e.hint }

// configErrors is everything that is wrong with a configuration, one error a key.
type configErrors []*keyError

func (e configErrors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// orNil is e as an error, nil when it is empty.
func (e configErrors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}
