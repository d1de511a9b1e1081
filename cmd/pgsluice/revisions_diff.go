package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/revisions"
)

func newRevisionsDiffCommand(flags *revisionFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "diff DSN DSN",
		Short: "find revisions that were applied with different SQL in two databases",
		Long: `Find the revisions that were applied with different SQL in two databases: an edited
migration, or one that depends on what it finds. Compared is what was asked, in order, of
the newest time that each revision went up in each database: also the bodies of functions and
DO blocks and the queries of views, which the ledger does not show, but neither what rows are
written nor the literals in a DO block.

A version table is compared with that of the same name. One whose name the other database
does not have is compared with all of the tool's there that have no counterpart either.

The exit status is 1 if there are any, else 0.`,
		Example:               `  pgsluice revisions diff "host=staging dbname=app" "host=prod dbname=app"`,
		DisableFlagsInUseLine: true,
		Args:                  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return &usageError{message: cmd.CommandPath() + " takes two connection strings", hint: seeHelp(cmd)}
			}
			return diffRevisions(cmd, args, flags.asJSON)
		},
	}
}

// history is a version table of a tool.
type history struct{ tool, table string }

// applied is how a revision was applied in one database.
type applied struct {
	Checksum string   `json:"checksum"`
	SQL      []string `json:"sql"`
	digests  []string // of each of them
	id       int64
}

// histories are the revisions of each version table.
type histories map[history]map[string]applied

// difference is a revision that was applied with different SQL.
type difference struct {
	Tool string `json:"tool"`
	// Table is "" when the tool has one table in each of the databases, OtherTable when that in the other one has the same name.
	Table      string  `json:"version_table"`
	OtherTable string  `json:"other_version_table,omitempty"`
	Revision   string  `json:"revision"`
	One        applied `json:"one"`
	Other      applied `json:"other"`
}

func diffRevisions(cmd *cobra.Command, logins []string, asJSON bool) error {
	var ledgers [2]*revisions.Ledger
	var all [2]histories
	for i, login := range logins {
		conn, err := connect(cmd.Context(), login)
		if err != nil {
			return err
		}
		defer conn.Close()
		if ledgers[i], err = revisions.Open(cmd.Context(), conn); err != nil {
			return err
		}
		if _, err := ledgers[i].Settle(cmd.Context()); err != nil {
			return err
		}
		if all[i], err = appliedIn(cmd.Context(), ledgers[i]); err != nil {
			return err
		}
	}
	differences, same, alone := compared(all)
	for i := range differences {
		for _, side := range []struct {
			ledger *revisions.Ledger
			how    *applied
		}{{ledgers[0], &differences[i].One}, {ledgers[1], &differences[i].Other}} {
			statements, err := side.ledger.Statements(cmd.Context(), side.how.id)
			if err != nil {
				return err
			}
			for _, s := range statements {
				side.how.SQL, side.how.digests = append(side.how.SQL, s.Asked), append(side.how.digests, s.Digest)
			}
		}
	}
	if err := printDifferences(cmd.OutOrStdout(), differences, same, alone, asJSON); err != nil {
		return err
	}
	for _, one := range slices.Concat(all[0].without(all[1]), all[1].without(all[0])) {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s in %s was compared with nothing: the other database has no such version table\n", printable(one.tool), printable(one.table))
	}
	if len(differences) > 0 {
		return errUnfinished
	}
	return nil
}

// appliedIn is how each revision last went up in a database.
func appliedIn(ctx context.Context, ledger *revisions.Ledger) (histories, error) {
	rows, err := ledger.Revisions(ctx, revisions.Filter{Direction: revisions.Up, State: "applied"})
	if err != nil {
		return nil, err
	}
	all := histories{}
	for _, row := range rows { // newest first
		of := history{row.Tool, row.Table}
		if all[of] == nil {
			all[of] = map[string]applied{}
		}
		if _, later := all[of][row.Revision]; !later {
			all[of][row.Revision] = applied{Checksum: row.Work.Checksum, id: row.ID, SQL: []string{}}
		}
	}
	return all, nil
}

// against are the version tables of another database that one is compared with: that of the same name, or else, since it need not have the same name, all of
// the tool that have none of their name here. Where there are several, as for tenants, each is a history of its own.
func (h histories) against(one history, other histories) []history {
	if other[one] != nil {
		return []history{one}
	}
	var against []history
	for table := range other {
		if table.tool == one.tool && h[table] == nil {
			against = append(against, table)
		}
	}
	return against
}

// without are the version tables that there is nothing to compare with.
func (h histories) without(other histories) []history {
	var alone []history
	for one := range h {
		if len(h.against(one, other)) == 0 {
			alone = append(alone, one)
		}
	}
	slices.SortFunc(alone, func(a, b history) int { return cmp.Or(cmp.Compare(a.tool, b.tool), cmp.Compare(a.table, b.table)) })
	return alone
}

// compared are the revisions that differ, how many do not, and how many have been applied in one of the databases only.
func compared(all [2]histories) (differences []difference, same, alone int) {
	differences = []difference{}
	met := [2]map[int64]bool{{}, {}} // by their ids
	for one, list := range all[0] {
		against := all[0].against(one, all[1])
		for _, table := range against {
			for revision, how := range list {
				other, both := all[1][table][revision]
				if !both {
					continue
				}
				met[0][how.id], met[1][other.id] = true, true
				if how.Checksum == other.Checksum {
					same++
					continue
				}
				d := difference{Tool: one.tool, Table: one.table, Revision: revision, One: how, Other: other}
				if table != one {
					d.OtherTable = table.table
				}
				if all[0].tables(one.tool) == 1 && all[1].tables(one.tool) == 1 {
					d.Table, d.OtherTable = "", ""
				}
				differences = append(differences, d)
			}
		}
	}
	for i, one := range all {
		for _, list := range one {
			alone += len(list)
		}
		alone -= len(met[i])
	}
	slices.SortFunc(differences, func(a, b difference) int {
		return cmp.Or(cmp.Compare(a.One.id, b.One.id), cmp.Compare(a.Other.id, b.Other.id))
	})
	return differences, same, alone
}

// tables is how many version tables a tool has.
func (h histories) tables(tool string) (n int) {
	for one := range h {
		if one.tool == tool {
			n++
		}
	}
	return n
}

func printDifferences(w io.Writer, differences []difference, same, alone int, asJSON bool) error {
	if asJSON {
		return printJSON(w, differences)
	}
	for _, d := range differences {
		table := ""
		if d.Table != "" {
			table = " in " + d.Table
		}
		if d.OtherTable != "" {
			table += " and " + d.OtherTable
		}
		fmt.Fprintln(w, printable(d.Tool+" "+d.Revision+table))
		for _, line := range d.One.SQL {
			if !slices.Contains(d.Other.SQL, line) {
				fmt.Fprintf(w, "  - %s\n", printable(line))
			}
		}
		for _, line := range d.Other.SQL {
			if !slices.Contains(d.One.SQL, line) {
				fmt.Fprintf(w, "  + %s\n", printable(line))
			}
		}
		switch {
		case slices.Equal(d.One.SQL, d.Other.SQL):
			for i, line := range d.One.SQL {
				if d.One.digests[i] != d.Other.digests[i] {
					fmt.Fprintf(w, "    differs in what is not recorded: %s\n", printable(line))
				}
			}
		case !slices.ContainsFunc(d.One.SQL, func(line string) bool { return !slices.Contains(d.Other.SQL, line) }) && len(d.One.SQL) == len(d.Other.SQL):
			fmt.Fprintln(w, "    the same statements in another order")
		}
	}
	_, err := fmt.Fprintf(w, "%s with different SQL, %d with the same, %d in one of the databases only.\n", plural(len(differences), "revision"), same, alone)
	return err
}
