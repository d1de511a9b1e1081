package ddl

import (
	"strings"
	"testing"
)

// What is a secret is hidden, and what only has its words is not.
func TestLooksSecret(t *testing.T) {
	for text, secret := range map[string]bool{
		"second pass: fill what the first has left":      false,
		"The first pass: 100 rows, second-pass: nothing": false,
		"2nd pass: done.":                               false,
		"pass 2: the rest":                              false,
		"pass: hunter2":                                 true,
		"pass:hunter":                                   true,
		"user bob, pass: correct horse":                 true,
		"db pass: hunter":                               true,
		"second pass: Hunter2!x":                        true,
		"this pass: myPassWord":                         true,
		"first pass: a; \"pass\": \"hunter\"":           true,
		"second pass=hunter":                            true,
		"a pass over all rows":                          false,
		"bypass: see the runbook":                       false,
		"password: x":                                   true,
		`{"db_password":"x"}`:                           true,
		"the bearer of this ticket":                     false,
		"Authorization: Bearer abc1":                    true,
		"bearer abcdefghijklmnopqrst":                   true,
		"Asia pacific, ASIAPACIFICDISTRIBUTORS":         false,
		"asiaticblackbearsarehere":                      false,
		"AKIAIOSFODNN7EXAMPLE":                          true,
		"key_AKIAIOSFODNN7EXAMPLE_old":                  true,
		"x=ASIAIOSFODNN7EXAMPLE,":                       true,
		"AKIAIOSFODNN7EXAMPLEANDMORE":                   false,
		"eyjafjallajokull erupted":                      false,
		"eyJhbGciOiJIUzI1NiJ9.e30.x":                    true,
		"as sk-learn-based-models do":                   false,
		"sk-proj-4fQ9aaBBccDDeeFF":                      true,
		"ghp_abcdefghijkl":                              true,
		"ghr_abcdefghijkl":                              true,
		"AIzaSyA1234567890abcdefghijklm":                true,
		"postgres://u:p@h/d":                            true,
		"https://example.org/a@b":                       false,
		"postgres://u:p/w@h/d":                          true,
		"Authorization: Basic dTpwdw==":                 true,
		"sk_test_4eC39HqLyjWDarjtT1zdp7dc":              true,
		"npm_abcdefghijklmnop1234":                      true,
		"DefaultEndpointsProtocol=https;AccountKey=abc": true,
		"https://hooks.slack.com/services/T0/B0/x":      true,
		"see npm_config and hf_hub":                     false,
		"-----BEGIN OPENSSH PRIVATE KEY-----":           true,
	} {
		if LooksSecret(text) != secret {
			t.Errorf("%s: got %v", text, !secret)
		}
	}
}

// What is no secret by its looks is one by its place.
func TestHideKeys(t *testing.T) {
	for text, want := range map[string]string{
		"CREATE TABLE t (a text CHECK (a <> ''), api_token text CHECK (x > 1) DEFAULT ('hunter2'), b numeric(10, 2), c text DEFAULT 'plain')": "CREATE TABLE t (a text CHECK (a <> ''), api_token text CHECK (x > 1) DEFAULT (~), b numeric(10, 2), c text DEFAULT 'plain')",
		"ALTER TABLE t ADD api_token text DEFAULT coalesce(NULL, 'hunter2'), ADD b text DEFAULT 'plain'":                                      "ALTER TABLE t ADD api_token text DEFAULT coalesce(NULL, ~), ADD b text DEFAULT 'plain'",
		"ALTER TABLE t ADD COLUMN IF NOT EXISTS password text DEFAULT 'hunter2'":                                                              "ALTER TABLE t ADD COLUMN IF NOT EXISTS password text DEFAULT ~",
		"CREATE TABLE IF NOT EXISTS s.t (id int, password text DEFAULT 'hunter2', \"Secret Word\" text DEFAULT E'a')":                         "CREATE TABLE IF NOT EXISTS s.t (id int, password text DEFAULT ~, \"Secret Word\" text DEFAULT ~)",
		"/* first */ CREATE TABLE t (LIKE u, token text DEFAULT 'x', plain text DEFAULT 'y')":                                                 "/* first */ CREATE TABLE t (LIKE u, token text DEFAULT ~, plain text DEFAULT 'y')",
		"CREATE DOMAIN password AS text DEFAULT 'hunter2'":                                                                                    "CREATE DOMAIN password AS text DEFAULT ~",
		"ALTER TABLE t ADD CHECK (a = 'x' AND password <> 'hunter2' AND b = 'y')":                                                             "ALTER TABLE t ADD CHECK (a = 'x' AND password <> ~ AND b = 'y')",
		"CREATE INDEX i ON t (a) WHERE api_key = 'hunter2' AND b = 'y'":                                                                       "CREATE INDEX i ON t (a) WHERE api_key = ~ AND b = 'y'",
		"CREATE INDEX i ON t (digest('pepper' || a, 'x'))":                                                                                    "CREATE INDEX i ON t (digest(~ || a, ~))",
	} {
		if got := hideKeys(text); got != strings.ReplaceAll(want, "~", hidden) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
