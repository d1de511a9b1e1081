package main

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// key is one leaf of the configuration: its path as people write it (lock.timeout) and a pointer to what it fills.
type key struct {
	path  string
	field any // *string, *dsn, *bool, *int, *int64, *byteSize, *time.Duration, *[]string, *map[string]string or *[]exemptionConfig
}

// keys returns every key of c, in the order of its fields.
func (c *Config) keys() []key { return keysOf("", reflect.ValueOf(c).Elem()) }

func keysOf(prefix string, section reflect.Value) []key {
	var keys []key
	for i := range section.NumField() {
		field := section.Field(i)
		name := section.Type().Field(i).Tag.Get("yaml")
		if name == "" {
			continue
		}
		path := prefix + name
		if field.Kind() == reflect.Struct {
			keys = append(keys, keysOf(path+".", field)...)
			continue
		}
		keys = append(keys, key{path: path, field: field.Addr().Interface()})
	}
	return keys
}

// variable is the name of the environment variable for a path.
func variable(path string) string {
	return variablePrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(path))
}

// assignment is a value for one key, as text, and where it stands.
type assignment struct {
	path string
	// value is a string; or a []string or a []section, a list written as one; or nil, for a key that is named but given no value.
	value any
	// origin is what a person looks for: config.yaml:3:5, PGSLUICE_LOCK_TIMEOUT, --listen. items are the same of the items of a list.
	origin string
	items  []string
	// text is where the characters of a string stand, if that can be told.
	text place
}

// section is an item of a list that has keys of its own; their paths begin with that of the list and the item's number.
type section []assignment

// place is a character in a file; the zero value is none.
type place struct {
	file         string
	line, column int // from 1
}

// assign carries out one assignment on the keys of a Config.
func assign(keys []key, a assignment) configErrors {
	fail := func(message, hint string) configErrors {
		return configErrors{{key: a.path, origin: a.origin, message: message, hint: hint}}
	}
	for _, k := range keys {
		if list, ok := k.field.(*[]exemptionConfig); ok && k.path == a.path {
			return assignExemptions(list, a, fail)
		}
		if m, ok := k.field.(*map[string]string); ok {
			if name, inside := strings.CutPrefix(a.path, k.path+"."); inside {
				text, ok := a.value.(string)
				if !ok || strings.Contains(name, ".") {
					return fail("must be NAME: VALUE, with one word for the value", "")
				}
				if *m == nil {
					*m = map[string]string{}
				}
				(*m)[name] = text
				return nil
			}
		}
		if k.path != a.path {
			continue
		}
		if err := k.set(a.value); err != nil {
			return fail(err.Error(), "")
		}
		return nil
	}
	var inside []string
	for _, k := range keys {
		if strings.HasPrefix(k.path, a.path+".") {
			inside = append(inside, k.path)
		}
	}
	if len(inside) > 0 {
		if a.value == nil {
			return nil
		}
		return fail("is a section and takes no value of its own", "its keys are "+strings.Join(inside, ", "))
	}
	return configErrors{{origin: a.origin, message: "unknown key " + a.path, hint: didYouMean(a.path, paths(keys))}}
}

// assignExemptions fills a list of sections. As one text (in the environment) it is YAML.
func assignExemptions(list *[]exemptionConfig, a assignment, fail func(message, hint string) configErrors) configErrors {
	*list = nil
	if text, ok := a.value.(string); ok && text != "" {
		inside, err := parseFile(a.origin, []byte(a.path+": "+text))
		var wrong configErrors
		if errors.As(err, &wrong) {
			return wrong
		}
		if len(inside) == 1 {
			a.value, a.items = inside[0].value, inside[0].items
		}
	}
	sections, ok := a.value.([]section)
	if items, plain := a.value.([]string); a.value != nil && a.value != "" && !ok && !(plain && len(items) == 0) {
		return fail("must be a list of sections", "write - rules: [index-not-concurrent], and the other keys of the exemption below")
	}
	var wrong configErrors
	for i, section := range sections {
		e := exemptionConfig{origin: a.items[i]}
		keys := keysOf(fmt.Sprintf("%s[%d].", a.path, i), reflect.ValueOf(&e).Elem())
		for _, inside := range section {
			wrong = append(wrong, assign(keys, inside)...)
		}
		*list = append(*list, e)
	}
	return wrong
}

// set fills the key's field. An error says what the value must be and never quotes it, since it may be a misplaced password.
func (k key) set(value any) error {
	if value == nil {
		return nil
	}
	if _, sections := value.([]section); sections {
		return errors.New("must not be a list of sections")
	}
	if list, ok := k.field.(*[]string); ok {
		*list = listOf(value)
		return nil
	}
	if _, ok := k.field.(*map[string]string); ok {
		return errors.New("must be a section of NAME: VALUE lines")
	}
	text, ok := value.(string)
	if !ok {
		return errors.New("must be one value, not a list")
	}
	var (
		err  error
		want string
	)
	switch field := k.field.(type) {
	case *string:
		*field = text
	case *dsn:
		*field = dsn(text)
	case *bool:
		want = "true or false"
		*field, err = parseBool(text)
	case *int:
		want = "a whole number"
		*field, err = strconv.Atoi(text)
	case *int64:
		want = "a whole number"
		*field, err = strconv.ParseInt(text, 10, 64)
	case *float64:
		want = "a number"
		*field, err = strconv.ParseFloat(text, 64)
	case *byteSize:
		want = "a size like 64KiB, 1MiB or 2GiB"
		*field, err = parseByteSize(text)
	case *time.Duration:
		want = "a duration with its unit, like 100ms, 5s, 10m or 90d"
		*field, err = parseDuration(text)
	default:
		panic(fmt.Sprintf("key %s has a field of type %T, which no text can fill", k.path, k.field))
	}
	if err != nil {
		return errors.New("must be " + want)
	}
	return nil
}

// parseBool knows two spellings, where strconv knows thirteen.
func parseBool(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, strconv.ErrSyntax
	}
	return text == "true", nil
}

// parseDuration reads a duration that is not negative; whole days may be given as such. A number without a unit is refused, 0 excepted: Postgres
// would read 5 as milliseconds or as seconds, depending on the setting.
func parseDuration(text string) (time.Duration, error) {
	if number, isDays := strings.CutSuffix(text, "d"); isDays {
		days, err := strconv.ParseUint(number, 10, 16)
		return time.Duration(days) * 24 * time.Hour, err
	}
	d, err := time.ParseDuration(text)
	if err == nil && d < 0 {
		err = strconv.ErrRange
	}
	return d, err
}

// listOf returns the items of a list. Where a list stands as one text its items are separated by commas; "" is the empty list, nil.
func listOf(value any) []string {
	if list, ok := value.([]string); ok {
		return list
	}
	var list []string
	if text := value.(string); text != "" {
		for item := range strings.SplitSeq(text, ",") {
			list = append(list, strings.TrimSpace(item))
		}
	}
	return list
}

func paths(keys []key) []string {
	paths := make([]string, len(keys))
	for i, k := range keys {
		paths[i] = k.path
	}
	return paths
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
