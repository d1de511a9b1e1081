package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Colours are for a terminal, which is a device, and for nobody who asked for none.
func TestWantsColor(t *testing.T) {
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "report"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, c := range []struct {
		to            io.Writer
		noColor, term string
		want          bool
	}{
		{device, "", "xterm", true}, {device, "1", "xterm", false}, {device, "", "dumb", false},
		{file, "", "xterm", false}, {&strings.Builder{}, "", "xterm", false},
	} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", c.term)
		if got := wantsColor(c.to); got != c.want {
			t.Errorf("%T, NO_COLOR=%s, TERM=%s: %t", c.to, c.noColor, c.term, got)
		}
	}
}
