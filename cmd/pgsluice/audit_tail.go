package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/lint"
	"github.com/pgsluice/pgsluice/revisions"
)

// followEvery is how often a file is looked at that is followed.
const followEvery = 250 * time.Millisecond

func tailTrail(cmd *cobra.Command, name string, flags tailFlags) error {
	show := &trailView{w: cmd.OutOrStdout(), asJSON: flags.asJSON}
	ctx := cmd.Context()
	if flags.follow { // from the first line that anybody sees
		var stop func()
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
		defer stop()
	}
	text := cmd.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return &failure{err: err, hint: "audit.file of the configuration says where the trail is; reading it may need other rights"}
		}
		defer func() { _ = file.Close() }()
		text = file
	}
	lines, last, rest, err := lastOf(text, flags)
	if err != nil {
		return err
	}
	for _, line := range last {
		if err := show.line(line); err != nil {
			return err
		}
	}
	if !flags.follow || name == "-" {
		return nil
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	f := follower{name: name, file: text.(*os.File), lines: lines, rest: rest, look: tick.C}
	defer func() { _ = f.file.Close() }()
	return f.run(ctx, func(line string) error {
		if _, wanted := flags.read(line, time.Now()); !wanted {
			return nil
		}
		return show.line(line)
	})
}

// lastOf is lastLines from the end of a file, as far back as is needed, and the reader of what comes.
func lastOf(text io.Reader, flags tailFlags) (lines *bufio.Reader, last []string, rest string, err error) {
	file, ok := text.(*os.File)
	if !ok || flags.last == 0 {
		lines = bufio.NewReader(text)
		last, rest, err = lastLines(lines, flags)
		return lines, last, rest, err
	}
	for window := int64(1 << 20); ; window *= 8 {
		size, err := file.Seek(0, io.SeekEnd)
		if err != nil { // a pipe
			lines = bufio.NewReader(text)
			last, rest, err = lastLines(lines, flags)
			return lines, last, rest, err
		}
		begin, err := file.Seek(max(0, size-window), io.SeekStart)
		if err != nil {
			return nil, nil, "", err
		}
		lines = bufio.NewReader(file)
		if begin > 0 {
			if _, err := lines.ReadString('\n'); err != nil && err != io.EOF { // the end of a line
				return nil, nil, "", err
			}
		}
		last, rest, err = lastLines(lines, flags)
		if err != nil || begin == 0 || len(last) == flags.last {
			return lines, last, rest, err
		}
	}
}

// lastLines are the last lines that are wanted, and the beginning of one that is still being written.
func lastLines(lines *bufio.Reader, flags tailFlags) (last []string, rest string, err error) {
	now := time.Now()
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return last, line, nil
		}
		if err != nil {
			return nil, "", err
		}
		if _, wanted := flags.read(line, now); !wanted {
			continue
		}
		last = append(last, line)
		if flags.last > 0 && len(last) > flags.last {
			last = slices.Delete(last, 0, 1)
		}
	}
}

// follower reads a file as it grows, and the next one when that has taken its name.
type follower struct {
	name  string
	file  *os.File
	lines *bufio.Reader
	rest  string           // a line as far as it was written
	look  <-chan time.Time // when to look again
}

// run hands over each line until ctx is done.
func (f *follower) run(ctx context.Context, with func(line string) error) error {
	for {
		if err := f.drain(with); err != nil {
			return err
		}
		next, err := f.next()
		if err != nil {
			return err
		}
		if next != nil {
			if err := f.drain(with); err != nil { // what came before it was moved away
				return err
			}
			_ = f.file.Close() // it was only read
			f.file, f.lines, f.rest = next, bufio.NewReader(next), ""
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-f.look:
		}
	}
}

// drain reads to the end that the file has now.
func (f *follower) drain(with func(line string) error) error {
	for {
		line, err := f.lines.ReadString('\n')
		f.rest += line
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		line, f.rest = f.rest, ""
		if err := with(line); err != nil {
			return err
		}
	}
}

// next is the file that has taken the name; nil while it is the same, or there is none.
func (f *follower) next() (*os.File, error) {
	now, err := os.Stat(f.name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ours, err := f.file.Stat()
	if err != nil || os.SameFile(now, ours) {
		return nil, err
	}
	return os.Open(f.name)
}

// trailView shows lines of the trail to people.
type trailView struct {
	w      io.Writer
	asJSON bool
	day    string
}

const (
	// trailWho is the width of the column that says who, trailIndent of the space before what stands below.
	trailWho    = 18
	trailIndent = 10
)

// line shows one line, in lineWidth columns unless it is JSON.
func (v *trailView) line(text string) error {
	if v.asJSON {
		_, err := io.WriteString(v.w, text)
		return err
	}
	e, ok := (&tailFlags{kind: kindOf(text)}).read(text, time.Now())
	if !ok {
		return nil
	}
	at := e.Time.Local()
	if day := at.Format(time.DateOnly); day != v.day {
		v.day = day
		fmt.Fprintln(v.w, day)
	}
	who := ""
	if e.AuditSession != nil {
		who = printable(cmp.Or(e.User, "?") + "@" + e.Database)
	}
	what, state := headline(e)
	head := fmt.Sprintf("%s  %-*s  ", at.Format(time.TimeOnly), trailWho, clipped(who, trailWho))
	rest := clipped(what, lineWidth-len([]rune(head)))
	cut := rest != what
	if state != "" && strings.HasPrefix(rest, state) {
		rest = painter(v.w)(painted(state), state) + rest[len(state):]
	}
	if _, err := fmt.Fprintln(v.w, head+rest); err != nil {
		return err
	}
	if cut && e.Asked != "" {
		v.detail("asked", e.Asked)
	}
	return v.details(e)
}

// detail is what stands below a line, in as many lines as it needs.
func (v *trailView) detail(name, text string) {
	first := fmt.Sprintf("%*s%-8s ", trailIndent, "", printable(name))
	for _, part := range lint.Broken(printable(text), lineWidth-len(first)) {
		fmt.Fprintf(v.w, "%s%s\n", first, part)
		first = strings.Repeat(" ", len(first))
	}
}

// kindOf lets a line of any kind be read.
func kindOf(text string) string {
	_, rest, _ := strings.Cut(text, `"kind":"`)
	kind, _, _ := strings.Cut(rest, `"`)
	return kind
}

// printable is a text in one line, and without the characters by which it could play with a terminal: clients choose some of it. Control characters are
// left out; what has no looks of its own but changes those of others (it turns the direction of writing round, or has no width) is shown by its number.
func printable(text string) string {
	var out strings.Builder
	for _, r := range oneLine(text) {
		switch {
		case unicode.IsControl(r):
			out.WriteRune('�')
		case unicode.Is(unicode.Cf, r):
			fmt.Fprintf(&out, "\\u{%x}", r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// painted is the state, of those that painter knows, by which a word is coloured.
func painted(word string) string {
	switch word {
	case "done":
		return "applied"
	case "deferred", "in doubt", "unseen", "prepared", "stopped", "pending":
		return "open"
	}
	return word
}

// headline is what a line says first, and the word in it that tells how it went.
func headline(e revisions.Entry) (text, state string) {
	switch e.Kind {
	case revisions.Result, revisions.Decision:
		return fmt.Sprintf("%-9s %-7s %s", printable(e.Outcome), printable(e.Verdict), printable(e.Asked)), e.Outcome
	case revisions.Intent:
		return fmt.Sprintf("%-9s %-7s %s", "begins", printable(e.Verdict), printable(e.Asked)), ""
	case revisions.Ending:
		return fmt.Sprintf("%s: %s", printable(e.Outcome), plural(max(1, len(e.Intents)+e.Unnamed), "statement")), e.Outcome
	case revisions.Overridden:
		return fmt.Sprintf("%-9s %s: %s", "override", printable(e.Overrides[0].Rule), printable(e.Overrides[0].Reason)), ""
	case revisions.Work:
		return strings.TrimSpace(fmt.Sprintf("%-9s job %d %s %s", printable(e.State), e.Job, printable(e.Tag), printable(e.Table))), e.State
	}
	return "pgsluice " + printable(e.Event), ""
}

// details are what stands below a line.
func (v *trailView) details(e revisions.Entry) error {
	some := func(name, text string) {
		if text != "" {
			v.detail(name, text)
		}
	}
	if e.Kind == revisions.Admin {
		for _, key := range sortedKeys(e.Detail) {
			some(key, e.Detail[key])
		}
		return nil
	}
	if e.Kind == revisions.Result || e.Kind == revisions.Decision {
		some("rules", strings.Join(e.Rules, ", "))
		for _, o := range e.Overrides {
			v.detail("allowed", fmt.Sprintf("%s by the %s: %s", o.Rule, o.Source, o.Reason))
		}
		some("actor", e.Actor)
	}
	for _, ran := range e.Ran {
		if ran != e.Asked {
			v.detail("ran", ran)
		}
	}
	if e.Waited >= time.Millisecond || e.Tries > 1 {
		v.detail("waited", fmt.Sprintf("%s, %d tries", short(e.Waited), e.Tries))
	}
	for _, b := range e.Blockers {
		v.detail("blocker", strings.TrimSpace(fmt.Sprintf("pid %d %s, %s", b.PID, b.User, b.Kind)))
	}
	some("error", strings.TrimSpace(e.SQLState+" "+e.Error))
	return nil
}
