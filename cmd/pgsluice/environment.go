package main

import (
	"slices"
	"strings"
)

const variablePrefix = "PGSLUICE_"

// unknownVariable is an environment variable that looks like ours and is not.
type unknownVariable struct {
	name    string
	nearest string // the name that was meant; "" if none is near enough
}

// readEnvironment returns the assignments that the variables of environ (NAME=VALUE each) make, in the order of their
// names, and the PGSLUICE_ variables that are no key.
func readEnvironment(keys []key, environ []string) (assignments []assignment, unknown []unknownVariable) {
	var names []string // without the prefix, which would make any two of them look alike
	for _, k := range keys {
		if !isFree(k) {
			names = append(names, strings.TrimPrefix(variable(k.path), variablePrefix))
		}
	}
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, variablePrefix) || isReserved(name) {
			continue
		}
		if path := pathOf(keys, name); path != "" {
			assignments = append(assignments, assignment{path: path, value: value, origin: name})
			continue
		}
		near := nearest(strings.TrimPrefix(name, variablePrefix), names)
		if near != "" {
			near = variablePrefix + near
		}
		unknown = append(unknown, unknownVariable{name: name, nearest: near})
	}
	return assignments, unknown
}

// pathOf is the key that a variable sets, "" for none. In a section of free names, as rules is, the rest of the variable
// is the name: PGSLUICE_RULES_INDEX_NOT_CONCURRENT is rules.index-not-concurrent.
func pathOf(keys []key, name string) string {
	for _, k := range keys {
		if isFree(k) {
			if rest, ok := strings.CutPrefix(name, variable(k.path)+"_"); ok && rest != "" {
				return k.path + "." + strings.ToLower(strings.ReplaceAll(rest, "_", "-"))
			}
		} else if name == variable(k.path) {
			return k.path
		}
	}
	return ""
}

// isFree is true for a section whose names are not ours to fix.
func isFree(k key) bool {
	_, free := k.field.(*map[string]string)
	return free
}

// isReserved tells variables that others read: where the Postgres binaries are, and what only tests set.
func isReserved(name string) bool {
	return name == variablePrefix+"PG_BIN" || strings.HasPrefix(name, variablePrefix+"TEST_")
}
