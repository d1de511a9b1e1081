package main

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/pgsluice/pgsluice/policy"
)

// defaultFile is the configuration that ships with the program.
const defaultFile = "../../config.yaml"

// The file is read onto an empty Config, so that a key that is missing in it shows.
func TestConfigFileIsTheDefaults(t *testing.T) {
	text, err := os.ReadFile(defaultFile)
	if err != nil {
		t.Fatal(err)
	}
	assignments, err := parseFile("config.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	var got Config
	for _, a := range assignments {
		if err := assign(got.keys(), a); err != nil {
			t.Error(err)
		}
	}
	if want := defaultConfig(); !reflect.DeepEqual(got, want) {
		t.Errorf("config.yaml says\n%+v\nthe defaults are\n%+v", got, want)
	}
}

func TestConfigFileHasEveryKey(t *testing.T) {
	text, err := os.ReadFile(defaultFile)
	if err != nil {
		t.Fatal(err)
	}
	assignments, err := parseFile("config.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range assignments {
		got = append(got, a.path)
	}
	config := defaultConfig()
	if want := paths(config.keys()); !slices.Equal(got, want) {
		t.Errorf("config.yaml has the keys\n%s\nConfig has\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	assigned := regexp.MustCompile(`^ *[a-z_]+:`)
	for i, line := range strings.Split(string(text), "\n") {
		if assigned.MatchString(line) && !strings.Contains(line, " # ") {
			t.Errorf("config.yaml:%d: no comment says what this key does: %s", i+1, line)
		}
	}
}

// The README explains what a condition may ask about.
func TestReadmeHasEveryVariable(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range policy.Variables() {
		if line := fmt.Sprintf("| `%s` | %s |\n", v.Name, v.Doc); !strings.Contains(string(text), line) {
			t.Errorf("README.md lacks %s", line)
		}
	}
}

// What stands in a comment of config.yaml as an example is a valid exemption.
func TestExampleIsValid(t *testing.T) {
	text, err := os.ReadFile(defaultFile)
	if err != nil {
		t.Fatal(err)
	}
	var example strings.Builder
	for line := range strings.Lines(string(text)) {
		if inner, ok := strings.CutPrefix(line, "# "); ok && (inner == "exemptions:\n" || strings.HasPrefix(inner, "  ")) {
			example.WriteString(inner)
		}
	}
	assignments, err := parseFile("config.yaml", []byte(example.String()))
	if err != nil {
		t.Fatal(err)
	}
	config := defaultConfig()
	for _, a := range assignments {
		if err := assign(config.keys(), a); err != nil {
			t.Error(err)
		}
	}
	if err := config.Validate(nil); err != nil || len(config.Exemptions) != 1 {
		t.Errorf("%d exemptions, %v", len(config.Exemptions), err)
	}
	e := reflect.ValueOf(config.Exemptions[0])
	for i := range e.NumField() {
		if e.Type().Field(i).Name != "origin" && e.Field(i).IsZero() {
			t.Errorf("the example lacks %s", e.Type().Field(i).Tag.Get("yaml"))
		}
	}
}

func TestDefaultsAreValid(t *testing.T) {
	config := defaultConfig()
	if err := config.Validate(nil); err != nil {
		t.Error(err)
	}
}

// Two keys must not answer to one variable.
func TestVariablesAreDistinct(t *testing.T) {
	config := defaultConfig()
	of := map[string]string{}
	for _, k := range config.keys() {
		name := variable(k.path)
		if other, ok := of[name]; ok {
			t.Errorf("%s is both %s and %s", name, other, k.path)
		}
		of[name] = k.path
		if isReserved(name) {
			t.Errorf("%s is reserved, but it is the variable of %s", name, k.path)
		}
	}
}

// The cases are in testdata/load. A line "$ NAME=VALUE" is an environment variable, the rest is the file. Printed are the
// keys that differ from the defaults, or every error. "hunter2" is the password in all cases.
func TestLoad(t *testing.T) {
	datadriven.Walk(t, "testdata/load", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			got := loadCase(t, d.Input)
			if strings.Contains(got, "hunter2") {
				t.Errorf("%s: the password is shown:\n%s", d.Pos, got)
			}
			return got
		})
	})
}

func loadCase(t *testing.T, input string) string {
	t.Chdir(t.TempDir())
	var file, environ []string
	for line := range strings.Lines(input) {
		if entry, ok := strings.CutPrefix(line, "$ "); ok {
			environ = append(environ, strings.TrimSuffix(entry, "\n"))
			continue
		}
		file = append(file, line)
	}
	if err := os.WriteFile("config.yaml", []byte(strings.Join(file, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	known := func(name, _ string) error {
		if name != "index-not-concurrent" {
			return fmt.Errorf("is no rule")
		}
		return nil
	}

	var out strings.Builder
	config, unknown, err := source{file: "config.yaml", environ: environ}.load(known)
	if err != nil {
		printError(&out, err)
		return out.String()
	}
	for _, u := range unknown {
		fmt.Fprintf(&out, "warning: unknown %s, nearest %q\n", u.name, u.nearest)
	}
	defaults := defaultConfig()
	for i, k := range config.keys() {
		got, want := reflect.ValueOf(k.field).Elem(), reflect.ValueOf(defaults.keys()[i].field).Elem()
		if !reflect.DeepEqual(got.Interface(), want.Interface()) {
			fmt.Fprintf(&out, "%s = %v\n", k.path, got)
		}
	}
	if out.Len() == 0 {
		return "defaults\n"
	}
	return out.String()
}

// A connection string is not shown by any way of printing that the program has.
func TestDSNIsHidden(t *testing.T) {
	config := defaultConfig()
	config.Control.DSN = "postgres://app:hunter2@db/app"
	var log strings.Builder
	for _, format := range []string{"text", "json"} {
		logger, _, err := newLogger(&log, logConfig{Level: "info", Format: format})
		if err != nil {
			t.Fatal(err)
		}
		logger.Info("configured", "dsn", config.Control.DSN, "config", config)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&log, verb+"\n", config)
		fmt.Fprintf(&log, verb+"\n", config.Control.DSN)
	}
	for _, shown := range []string{"hunter2", fmt.Sprintf("%x", "hunter2")} {
		if strings.Contains(log.String(), shown) {
			t.Errorf("the password is shown:\n%s", log.String())
		}
	}
	if !strings.Contains(log.String(), hidden) {
		t.Errorf("the connection string was not printed at all:\n%s", log.String())
	}
}
