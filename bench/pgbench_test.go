package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParsePgbench(t *testing.T) {
	for name, want := range map[string]struct {
		result result
		err    string
	}{
		"pgbench-15":         {result: result{work: 40, rate: 3219.575016}},
		"pgbench-15-connect": {result: result{work: 10, rate: 7.949385}},
		"pgbench-15-failed":  {err: "3 failed transactions"},
		"pgbench-13":         {err: "older than 14"},
		"nothing":            {err: "cannot read"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := parsePgbench(string(text))
			if want.err != "" {
				if err == nil || !strings.Contains(err.Error(), want.err) {
					t.Errorf("got %+v, %v, want an error with %q", got, err, want.err)
				}
				return
			}
			if err != nil || got != want.result {
				t.Errorf("got %+v, %v, want %+v", got, err, want.result)
			}
		})
	}
}
