package policy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

// TestExemptions runs testdata/exemptions. Each line "exempt KEY=VALUE; …" of a case is an exemption (of lists the items are separated by
// commas; rules=index-slow and reason=why where they are left out), the last line is a statement. Of the rules index-slow finds a rewrite in
// everything, never a block.
//
// The server has public.t (100 rows, 8192 bytes, with an index t_a), public.gone_size (unknown sizes) and sales.orders (a billion rows).
// Login joe has set role app, in database shop, with application_name psql, on 16.4; "unknown" asks no server.
func TestExemptions(t *testing.T) {
	datadriven.RunTest(t, "testdata/exemptions", func(t *testing.T, d *datadriven.TestData) string {
		settings := policy.Settings{}
		var sql string
		for line := range strings.Lines(d.Input) {
			if exempt, ok := strings.CutPrefix(line, "exempt"); ok {
				settings.Exemptions = append(settings.Exemptions, exemption(t, strings.TrimSpace(exempt), len(settings.Exemptions)))
			} else {
				sql += line
			}
		}
		set, err := policy.NewSet([]policy.Rule{finds("index-slow", policy.Rewrite), finds("never", policy.Block)}, settings)
		if err != nil {
			return wrong(err)
		}
		where := policy.Context{InTransaction: d.HasArg("tx"), Now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
		d.MaybeScanArgs(t, "revision", &where.Revision)
		known := shop()
		if d.HasArg("unknown") {
			known, where.Now = facts.Facts{}, time.Time{}
		}
		v := set.Judge(parse(t, sql), known, where)
		var out strings.Builder
		fmt.Fprintln(&out, v.Action)
		for _, f := range v.Findings {
			fmt.Fprintf(&out, "  %s\n", f.Message)
		}
		for _, f := range v.Overridden {
			fmt.Fprintf(&out, "  %s: %s (%s)\n", f.Rule, f.Override.Source, f.Override.Reason)
		}
		return out.String()
	})
}

func exemption(t *testing.T, text string, i int) policy.Exemption {
	e := policy.Exemption{Rules: []string{"index-slow"}, Reason: "why", Origin: fmt.Sprintf("config.yaml:%d:3", i+1)}
	if text == "" {
		return e
	}
	for pair := range strings.SplitSeq(text, "; ") {
		key, value, _ := strings.Cut(pair, "=")
		items := strings.Split(value, ",")
		switch key {
		case "rules":
			e.Rules = items
		case "norules":
			e.Rules = nil
		case "tables":
			e.Tables = items
		case "roles":
			e.Roles = items
		case "databases":
			e.Databases = items
		case "applications":
			e.Applications = items
		case "revisions":
			e.Revisions = items
		case "when":
			e.When = value
		case "reason":
			e.Reason = value
		case "until":
			var err error
			if e.Until, err = time.Parse(time.RFC3339, value); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("an exemption has no %q", key)
		}
	}
	return e
}

func shop() facts.Facts {
	t := &facts.Relation{OID: 1, Schema: "public", Name: "t", Rows: 99.5, Bytes: 8192}
	return facts.Facts{
		Known: true, Version: 160004, Database: "shop", SessionUser: "joe", CurrentUser: "app", SearchPath: []string{"public"},
		Settings: map[string]string{"application_name": "psql"},
		Relations: map[string]*facts.Relation{
			`"t"`:              t,
			`"public"."t"`:     t,
			`"t_a"`:            {OID: 2, Schema: "public", Name: "t_a", Table: t},
			`"gone_size"`:      {OID: 3, Schema: "public", Name: "gone_size", Rows: -1, Bytes: -1},
			`"sales"."orders"`: {OID: 4, Schema: "sales", Name: "orders", Rows: 1e9, Bytes: 1 << 40},
			`"nothing"`:        nil,
		},
	}
}

// wrong shows every error of an exemption.
func wrong(err error) string {
	var out strings.Builder
	var many interface{ Unwrap() []error }
	if !errors.As(err, &many) {
		return err.Error()
	}
	for _, one := range many.Unwrap() {
		var e *policy.ExemptionError
		if !errors.As(one, &e) {
			return err.Error()
		}
		fmt.Fprintln(&out, e)
		if e.Line > 0 {
			fmt.Fprintf(&out, "  at %d:%d\n", e.Line, e.Column)
		}
		if e.Hint != "" {
			fmt.Fprintf(&out, "  hint: %s\n", e.Hint)
		}
	}
	return out.String()
}

// Two sets with the same rules and settings have one version, whatever else they are written with; every setting makes another one.
func TestVersion(t *testing.T) {
	rule := finds("index-slow", policy.Rewrite)
	off := rule
	off.Default = policy.Off
	exempt := func(e policy.Exemption) policy.Settings { return policy.Settings{Exemptions: []policy.Exemption{e}} }
	base := policy.Exemption{Rules: []string{"*"}, Reason: "why"}
	elsewhere, because, until := base, base, base
	elsewhere.Origin, because.Reason, until.Until = "other.yaml:1:1", "because", time.Unix(1, 0)
	version := newSet(t, exempt(base), rule).Version()
	if len(version) != 12 || newSet(t, exempt(elsewhere), rule).Version() != version {
		t.Errorf("version %q depends on where an exemption is written", version)
	}
	seen := map[string]bool{version: true}
	for i, set := range []*policy.Set{
		newSet(t, policy.Settings{}, rule), newSet(t, policy.Settings{}, off), newSet(t, exempt(because), rule), newSet(t, exempt(until), rule),
		newSet(t, policy.Settings{Small: policy.Small{Rows: 1}}, rule), newSet(t, policy.Settings{OverrideRoles: []string{"dba"}}, rule),
		newSet(t, policy.Settings{Actions: map[string]policy.Action{"index-slow": policy.Warn}}, rule),
	} {
		if seen[set.Version()] {
			t.Errorf("set %d has the version of another one", i)
		}
		seen[set.Version()] = true
	}
}
