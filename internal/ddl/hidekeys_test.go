package ddl

import "testing"

// What is a secret is hidden, and what only has its words is not.
func TestLooksSecret(t *testing.T) {
	for text, secret := range map[string]bool{
		"second pass: fill what the first has left":      false,
		"The first pass: 100 rows, second-pass: nothing": false,
		"2nd pass: done.":                       false,
		"pass 2: the rest":                      false,
		"pass: hunter2":                         true,
		"pass:hunter":                           true,
		"user bob, pass: correct horse":         true,
		"db pass: hunter":                       true,
		"second pass: Hunter2!x":                true,
		"this pass: myPassWord":                 true,
		"first pass: a; \"pass\": \"hunter\"":   true,
		"second pass=hunter":                    true,
		"a pass over all rows":                  false,
		"bypass: see the runbook":               false,
		"password: x":                           true,
		`{"db_password":"x"}`:                   true,
		"the bearer of this ticket":             false,
		"Authorization: Bearer abc1":            true,
		"bearer abcdefghijklmnopqrst":           true,
		"Asia pacific, ASIAPACIFICDISTRIBUTORS": false,
		"asiaticblackbearsarehere":              false,
		"AKIAIOSFODNN7EXAMPLE":                  true,
		"key_AKIAIOSFODNN7EXAMPLE_old":          true,
		"x=ASIAIOSFODNN7EXAMPLE,":               true,
		"AKIAIOSFODNN7EXAMPLEANDMORE":           false,
		"eyjafjallajokull erupted":              false,
		"eyJhbGciOiJIUzI1NiJ9.e30.x":            true,
		"as sk-learn-based-models do":           false,
		"sk-proj-4fQ9aaBBccDDeeFF":              true,
		"ghp_abcdefghijkl":                      true,
		"ghr_abcdefghijkl":                      true,
		"AIzaSyA1234567890abcdefghijklm":        true,
		"postgres://u:p@h/d":                    true,
		"https://example.org/a@b":               false,
		"-----BEGIN OPENSSH PRIVATE KEY-----":   true,
	} {
		if LooksSecret(text) != secret {
			t.Errorf("%s: got %v", text, !secret)
		}
	}
}
