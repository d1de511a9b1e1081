package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// lineWidth is how wide a table is at most, in characters.
const lineWidth = 80

// shrinkage is a column that is cut, down to so many characters, in a table that is too wide.
type shrinkage struct{ column, least int }

// fitted are the lines of a table, whose first row is its heading. What is too long for a line is cut, in the order of shrink. paint, if it is not nil,
// returns what is printed for a cell of a row, which is padded already.
func fitted(table [][]string, shrink []shrinkage, paint func(row, column int, cell, padded string) string) []string {
	widths := make([]int, len(table[0]))
	total := 2 * (len(widths) - 1)
	for i := range widths {
		for _, row := range table {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
		total += widths[i]
	}
	for _, s := range shrink {
		less := max(0, min(total-lineWidth, widths[s.column]-s.least))
		widths[s.column] -= less
		total -= less
	}
	lines := make([]string, len(table))
	for n, row := range table {
		var out strings.Builder
		for i, cell := range row {
			text := fmt.Sprintf("%-*s", widths[i], clipped(cell, widths[i]))
			if paint != nil {
				text = paint(n, i, cell, text)
			}
			out.WriteString(text + "  ")
		}
		lines[n] = strings.TrimRight(out.String(), " ")
	}
	return lines
}

// clipped is a text of at most so many characters.
func clipped(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}
