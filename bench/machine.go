package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"
)

// describe prints what the figures were measured on and with.
func describe(ctx context.Context, out io.Writer, l *lab, programs []program) error {
	kernel, err := firstLine(ctx, "uname", "-srm")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, %d cores, %s, %s\n", processorName(), runtime.NumCPU(), kernel, runtime.Version())
	fmt.Fprintln(out, "Server, load and proxies share this machine.")
	versions := []string{"Postgres " + l.box.Binaries().Version}
	for _, p := range programs {
		if p.version != "" {
			versions = append(versions, p.version)
		}
	}
	_, err = fmt.Fprintf(out, "%s\n\n", strings.Join(versions, "; "))
	return err
}

var modelName = regexp.MustCompile(`(?m)^model name\s*: (.*)$`)

func processorName() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		if found := modelName.FindSubmatch(text); found != nil {
			return string(found[1])
		}
	}
	return runtime.GOARCH
}
