package rules

import (
	"fmt"
	"strconv"

	"github.com/pgsluice/pgsluice/internal/facts"
)

// size describes a relation for the detail of a message: what makes it too large, as far as it is known.
func size(r *facts.Relation) string {
	name := qualified(r.Schema, r.Name)
	if r.Foreign {
		return fmt.Sprintf("Table %s keeps rows outside of this server's own tables, so that its size is not known.", name)
	}
	if r.Bytes < 0 {
		return fmt.Sprintf("The size of table %s is not known: another session locks it, or waits to.", name)
	}
	rows := "an unknown number of rows (it was never analyzed)"
	if r.Rows >= 0 {
		rows = "about " + thousands(int64(r.Rows)) + " rows"
	}
	in := ""
	switch {
	case r.Kind == "p":
		in = " in " + partitions(r.Descendants)
	case r.Descendants > 0:
		in = ", its children's included"
	}
	return fmt.Sprintf("Table %s has %s%s, %s.", name, rows, in, bytes(r.Bytes))
}

func partitions(n int) string {
	if n == 1 {
		return "1 partition"
	}
	return thousands(int64(n)) + " partitions"
}

// thousands writes a number with a comma between every three digits.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// bytes writes a size as pg_size_pretty does: in the unit in which it has fewer than five digits.
func bytes(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB", "PB"}
	unit := 0
	for n >= 10<<10 && unit < len(units)-1 {
		n = (n + 512) >> 10
		unit++
	}
	return fmt.Sprintf("%d %s", n, units[unit])
}
