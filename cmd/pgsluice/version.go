package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// grammar names the server whose SQL grammar the linked parser (pg_query 5) has.
const grammar = "PostgreSQL 16 grammar"

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version, the commit and the SQL grammar",
		Long: `Print what this binary was built from, and the Postgres version whose SQL grammar it
reads. A statement of a newer grammar does not parse, and is judged by the rule
"unjudged". Put these lines into a bug report.`,
		Example:               `  pgsluice version`,
		DisableFlagsInUseLine: true,
		Args:                  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				info = &debug.BuildInfo{}
			}
			return printVersion(cmd.OutOrStdout(), info)
		},
	}
}

func printVersion(w io.Writer, info *debug.BuildInfo) error {
	version, commit := buildOf(info)
	_, err := fmt.Fprintf(w, "pgsluice %s\ncommit   %s\ngo       %s %s/%s\nparser   %s\n",
		version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH, grammar)
	return err
}

// versionOfBuild is the version of this binary.
func versionOfBuild() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	version, _ := buildOf(info)
	return version
}

// buildOf returns the module version and the commit that a binary was built from. A build outside of a checkout knows no
// commit; one from a checkout with uncommitted changes says so.
func buildOf(info *debug.BuildInfo) (version, commit string) {
	version, commit = info.Main.Version, "unknown"
	if version == "" {
		version = "(devel)"
	}
	modified := ""
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			commit = setting.Value
		case "vcs.modified":
			if setting.Value == "true" {
				modified = " (with uncommitted changes)"
			}
		}
	}
	return version, commit + modified
}
