// Package lint judges SQL files by the rules of the proxy: it finds the statements in them, knows whether the migration tool that runs
// them does so inside a transaction, follows what the files themselves create, and reports what it found. It runs nothing.
package lint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxBytes is how large a file may be. Dumps of data are larger; they are not migrations.
const maxBytes = 4 << 20

var errTooLarge = fmt.Errorf("is larger than %d MB: leave dumps of data out, or split it", maxBytes>>20)

// Source is a file to judge.
type Source struct {
	// Path is as the user named it, with slashes.
	Path string
	// Text is UTF-8. A byte order mark is blanked out.
	Text string
	// Beside are the files that some tools keep settings in, by what they add to the path (".conf") or their name ("metadata.toml").
	Beside map[string]string

	lines []int // where each line begins, its first behind a byte order mark
}

// NewSource makes a source of a text, or says why it is none.
func NewSource(name, text string) (*Source, error) {
	switch {
	case len(text) > maxBytes:
		return nil, errTooLarge
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"):
		return nil, errors.New("is UTF-16: save it as UTF-8")
	case !utf8.ValidString(text):
		return nil, fmt.Errorf("is not UTF-8 (byte %d): save it as UTF-8", invalidAt(text))
	case strings.IndexByte(text, 0) >= 0:
		return nil, fmt.Errorf("holds a zero byte (byte %d): it is no SQL", strings.IndexByte(text, 0))
	}
	begin := 0
	if rest, marked := strings.CutPrefix(text, "\ufeff"); marked {
		text, begin = "   "+rest, len("\ufeff")
	}
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("is empty: say in a comment that nothing is to be done, or remove it")
	}
	s := &Source{Path: filepath.ToSlash(name), Text: text, lines: []int{begin}}
	for i := range len(text) {
		if text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s, nil
}

func invalidAt(text string) int {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return i
			}
		}
	}
	return len(text)
}

// Position is the line and the column, both from 1, of a byte of the text; columns count characters.
func (s *Source) Position(offset int) (line, column int) {
	offset = max(offset, s.lines[0])
	line, found := slices.BinarySearch(s.lines, offset)
	if found {
		line++
	}
	return line, utf8.RuneCountInString(s.Text[s.lines[line-1]:offset]) + 1
}

// Line is the text of a line, from 1, without its end.
func (s *Source) Line(n int) string {
	end := len(s.Text)
	if n < len(s.lines) {
		end = s.lines[n] - 1
	}
	return strings.TrimSuffix(s.Text[s.lines[n-1]:end], "\r")
}

// Found are the files that arguments name.
type Found struct {
	Paths []string
	// NotRead are the files that a directory holds and that are not read, because they do not end in .sql or are links to directories.
	NotRead []string
}

// Find resolves arguments: a file is itself, a directory every .sql file below it, and a pattern (with *, ?, [ or **) what it matches.
// What a directory or a pattern gives is in the order in which its migrations are run: numbers in names count as numbers.
func Find(arguments []string) (Found, error) {
	var found Found
	seen := map[string]bool{}
	add := func(names ...string) {
		for _, name := range names {
			if clean := filepath.Clean(name); !seen[clean] {
				seen[clean] = true
				found.Paths = append(found.Paths, clean)
			}
		}
	}
	for _, argument := range arguments {
		info, err := os.Stat(argument)
		switch {
		case err == nil && info.IsDir():
			files, others, err := below(argument)
			if err != nil {
				return Found{}, err
			}
			add(slices.DeleteFunc(slices.Clone(files), func(name string) bool { return !isSQL(name) })...)
			others = append(others, slices.DeleteFunc(files, func(name string) bool { return isSQL(name) || isSettings(name) })...)
			slices.SortFunc(others, natural)
			found.NotRead = append(found.NotRead, others...)
		case err == nil:
			add(argument)
		case errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(argument, "*?["):
			matches, err := glob(argument)
			if err != nil {
				return Found{}, err
			}
			if len(matches) == 0 {
				return Found{}, fmt.Errorf("no file matches %s", argument)
			}
			add(matches...)
		default:
			return Found{}, fmt.Errorf("cannot read %s: %w", argument, cause(err))
		}
	}
	return found, nil
}

func isSQL(name string) bool { return strings.EqualFold(filepath.Ext(name), ".sql") }

// isSettings reports whether a file is one that Open reads beside another.
func isSettings(name string) bool {
	return strings.HasSuffix(name, ".sql.conf") || filepath.Base(name) == "metadata.toml"
}

// cause is a file system's error without the path, which whoever tells it names anyway.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// below lists the files under a directory, and what it does not follow or look into: links to directories, and .git.
func below(dir string) (files, others []string, err error) {
	// The separator makes a link to a directory that the user named be followed.
	err = filepath.WalkDir(strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator), func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("cannot read %s: %w", name, cause(err))
		case entry.IsDir() && entry.Name() == ".git":
			others = append(others, name)
			return fs.SkipDir
		case entry.IsDir():
			return nil
		case entry.Type()&fs.ModeSymlink != 0:
			if info, err := os.Stat(name); err != nil || info.IsDir() {
				others = append(others, name)
				return nil
			}
		case !entry.Type().IsRegular():
			others = append(others, name)
			return nil
		}
		files = append(files, name)
		return nil
	})
	slices.SortStableFunc(files, asRun)
	return files, others, err
}

// glob lists the files that match a pattern; ** stands for any number of directories.
func glob(pattern string) ([]string, error) {
	words := strings.Split(filepath.ToSlash(filepath.Clean(pattern)), "/")
	for _, word := range words {
		if _, err := path.Match(word, ""); err != nil {
			return nil, fmt.Errorf("%s is not a pattern: %w", pattern, err)
		}
	}
	fixed := 0
	for fixed < len(words)-1 && !strings.ContainsAny(words[fixed], "*?[") {
		fixed++
	}
	base := strings.Join(words[:fixed], "/")
	switch {
	case base == "" && fixed > 0:
		base = "/"
	case base == "":
		base = "."
	}
	files, _, err := below(filepath.FromSlash(base))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return slices.DeleteFunc(files, func(name string) bool {
		return !matches(words, strings.Split(filepath.ToSlash(name), "/"))
	}), err
}

func matches(pattern, name []string) bool {
	switch {
	case len(pattern) == 0 || len(name) == 0:
		return len(pattern) == len(name)
	case pattern[0] == "**":
		return matches(pattern[1:], name) || matches(pattern, name[1:])
	}
	ok, _ := path.Match(pattern[0], name[0]) // the pattern is known to be one
	return ok && matches(pattern[1:], name[1:])
}

// asRun compares names in the order in which tools run them: as people count, the way forth before the way back, and Flyway's repeatable migrations, which
// build on all others, last.
func asRun(a, b string) int { return natural(orderKey(a), orderKey(b)) }

func orderKey(name string) string {
	dir, base := filepath.Split(name)
	if strings.HasPrefix(base, "R__") {
		return dir + "~" + base
	}
	for _, down := range []string{".down.", "-down.", ".undo."} {
		if at := strings.LastIndex(base, down); at >= 0 {
			return dir + base[:at+1] + "~" + base[at+1:]
		}
	}
	return name
}

// natural compares names as people count: 9 comes before 10.
func natural(a, b string) int {
	for a != "" && b != "" {
		numberA, restA := leadingNumber(a)
		numberB, restB := leadingNumber(b)
		if numberA != "" && numberB != "" {
			if c := compareNumbers(numberA, numberB); c != 0 {
				return c
			}
			a, b = restA, restB
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func leadingNumber(s string) (number, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return s[:len(s)-len(rest)], rest
}

func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// Open reads a file, and those beside it that tools keep settings in.
func Open(name string) (*Source, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, cause(err)
	case info.IsDir():
		return nil, errors.New("is a directory")
	case info.Size() > maxBytes:
		return nil, errTooLarge
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, cause(err)
	}
	s, err := NewSource(name, string(text))
	if err != nil {
		return nil, err
	}
	s.Beside = map[string]string{}
	for key, beside := range map[string]string{".conf": name + ".conf", "metadata.toml": filepath.Join(filepath.Dir(name), "metadata.toml")} {
		if settings, err := os.ReadFile(beside); err == nil {
			s.Beside[key] = string(settings)
		}
	}
	return s, nil
}
