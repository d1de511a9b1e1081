package ddl_test

import (
	"slices"
	"testing"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

func TestSetConfigs(t *testing.T) {
	set := func(name, value string, local bool) ddl.Setting {
		return ddl.Setting{Op: ddl.Set, Name: name, Value: value, Local: local}
	}
	for sql, want := range map[string][]ddl.Setting{
		"SELECT pg_catalog.set_config('search_path', '', false)":                             {set("search_path", "", false)},
		`select "set_config"('LOCK_timeout', '2' || 's', true), set_config('a.b', 'c', 't')`: {set("a.b", "c", true)},
		"SELECT set_config('lock_timeout', '2s', 'off'::bool) AS x":                          {set("lock_timeout", "2s", false)},
		"SELECT set_config('lock_timeout', '2s', true) FROM t":                               nil,
		"SELECT set_config('lock_timeout', '2s', true) WHERE false":                          nil,
		"SELECT app.set_config('lock_timeout', '2s', true)":                                  nil,
		"SELECT set_config(name, '2s', true)":                                                nil,
		"SET lock_timeout = '2s'":                                                            nil,
	} {
		statements, err := ddl.Parse(sql)
		if err != nil {
			t.Fatal(err)
		}
		if got := ddl.SetConfigs(statements[0]); !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", sql, got, want)
		}
	}
}
