package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// table is rows of cells, the first of which are the headings.
type table [][]string

// print writes it as Markdown, in columns that line up.
func (t table) print(out io.Writer) {
	widths := make([]int, len(t[0]))
	for _, row := range t {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	line := func(row []string, fill string) {
		var b strings.Builder
		for i, width := range widths {
			text := row[i]
			b.WriteString("| " + text + strings.Repeat(fill, width-utf8.RuneCountInString(text)) + " ")
		}
		fmt.Fprintln(out, b.String()+"|")
	}
	line(t[0], " ")
	line(make([]string, len(widths)), "-")
	for _, row := range t[1:] {
		line(row, " ")
	}
}
