package facts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
)

// PartsQuerier is a Querier that asks several questions without parameters in one round trip and one transaction, and answers with all their rows in order;
// for that time it gives a setting a value. It does so faster when it has asked the same ones before.
type PartsQuerier interface {
	Querier
	QueryParts(ctx context.Context, parts []string, setting, value string) ([]string, error)
	// MayHold reports whether the session's transaction may hold locks: something may have run in it before the question.
	MayHold() bool
	// Brittle reports whether an error would be more than the question's.
	Brittle() bool
}

// asked is the setting that stands for the parameter of a question without any, about the one for what resolve.sql or tree.sql has found.
const (
	asked = "pgsluice.asked"
	about = "pgsluice.about"
	// aboutSetting takes its place. A sub-select: the planner shall not look at the value of the day. Without a value it fails: no list is not an empty one.
	aboutSetting = "(SELECT pg_catalog.current_setting('" + about + "'))"
)

// answers are the rows that a question has got.
type answers struct {
	// about is what resolve.sql or tree.sql has found.
	about []string
	// rows are by their kind, documents what the parts that answer with JSON have answered, in order.
	rows      map[string][]*row
	documents [][]byte
}

// ask asks what stands before, if anything, then resolve.sql, or another finder, and what follows from it. Where there is no setting to carry what it has found, all is one
// statement.
func ask(ctx context.Context, server Querier, before, finder string, parts []string, parameter string) (answers, error) {
	rows, err := askFound(ctx, server, before, finder, parts, parameter)
	if err != nil {
		return answers{}, fmt.Errorf("cannot read facts: %w", err)
	}
	a, err := readAnswers(rows)
	if err == nil && a.about == nil {
		err = errors.New("cannot read facts: it is not said what they are about")
	}
	return a, err
}

// readAnswers reads the rows that parts have answered with.
func readAnswers(rows []string) (answers, error) {
	a := answers{rows: map[string][]*row{}}
	for _, answer := range rows {
		if strings.HasPrefix(answer, "about ") {
			a.about = strings.Split(answer, " ")
			continue
		}
		text, err := decodeBase64(answer)
		if err != nil {
			return a, err
		}
		if !bytes.HasPrefix(text, []byte("(")) {
			a.documents = append(a.documents, text)
			continue
		}
		r, err := readRow(string(text))
		if err != nil {
			return a, fmt.Errorf("cannot decode facts: %w", err)
		}
		a.rows[r.kind] = append(a.rows[r.kind], r)
	}
	return a, nil
}

// askFound asks first what stands before what the others are about.
func askFound(ctx context.Context, server Querier, before, finder string, parts []string, parameter string) ([]string, error) {
	several, ok := server.(PartsQuerier)
	if !ok {
		title, _, _ := strings.Cut(finder, "\n")
		whole := title + "\nWITH about AS MATERIALIZED (\n" + finder + ")\nSELECT a.about FROM about a"
		if before != "" {
			parts = append([]string{before}, parts...)
		}
		for _, part := range parts {
			whole += "\nUNION ALL\n(" + strings.ReplaceAll(careful(part), "$about", "(SELECT a.about FROM about a)") + ")"
		}
		return server.Query(ctx, whole, parameter)
	}
	opening, ok := openings[[2]string{before, finder}]
	if !ok {
		opening = newOpening(before, finder)
	}
	texts := append(make([]text, 0, 1+len(parts)), opening)
	for _, part := range parts {
		text, ok := usual[part]
		if !ok {
			text = newText(part)
		}
		texts = append(texts, text)
	}
	sent := make([]string, len(texts))
	if !several.Brittle() {
		for i, text := range texts {
			sent[i] = text.hasty
		}
		if rows, err := several.QueryParts(ctx, sent, asked, parameter); !isLockTimeout(err) {
			return rows, err
		}
	}
	for i, text := range texts {
		sent[i] = text.careful
	}
	return several.QueryParts(ctx, sent, asked, parameter)
}

// text is a part of the question as it is sent to a PartsQuerier. A hasty question fails where it would have to wait for a lock longer than a millisecond; a careful
// one does not open what somebody has locked. To look at the locks takes the longer the more backends there are.
type text struct{ hasty, careful string }

func newText(part string) text {
	set := func(part string) string { return withSetting(strings.ReplaceAll(part, "$about", aboutSetting)) }
	return text{set(hasty(part)), set(careful(part))}
}

// newOpening is what stands before a finder, if anything, and the finder, whose answer goes into the setting. The lock_timeout ends with the question, and session.sql,
// which tells of the client's own, stands before it.
func newOpening(before, finder string) text {
	title, _, _ := strings.Cut(finder, "\n")
	found := title + "\nSELECT pg_catalog.set_config('" + about + "', a.about, true) FROM (\n" + finder + ") a"
	if before != "" {
		found = before + "UNION ALL\n" + found
	}
	return text{withSetting(found + " WHERE pg_catalog.set_config('lock_timeout', '1', true) IS NOT NULL"), withSetting(found)}
}

// Most questions are put together of these: to write a text takes as long as to read its answer.
var (
	openings = map[[2]string]text{
		{sessionSQL, resolveSQL}:    newOpening(sessionSQL, resolveSQL),
		{sessionSQL, resolveAllSQL}: newOpening(sessionSQL, resolveAllSQL),
		{"", treeSQL}:               newOpening("", treeSQL),
	}
	usual = textsOf(describedSQL, indexesSQL, constraintsSQL, indexedSQL, dependedSQL, relationsSQL, edgesSQL, partitionedSQL, writersSQL, transactionSQL, takenSQL, siblingSQL,
		defaultsSQL, typesSQL, castsSQL, functionsSQL)
)

func textsOf(parts ...string) map[string]text {
	texts := map[string]text{}
	for _, part := range parts {
		texts[part] = newText(part)
	}
	return texts
}

// askAbout asks parts, which open no relations, about lists of OIDs that stand behind the words of resolve.sql, as if it had found nothing.
func askAbout(ctx context.Context, server Querier, parts []string, lists ...[]uint32) (answers, error) {
	value := "about {} {} {} {} " + words(lists)
	several, ok := server.(PartsQuerier)
	var rows []string
	var err error
	if ok {
		fixed := make([]string, len(parts))
		for i, part := range parts {
			fixed[i] = strings.ReplaceAll(part, "$about", aboutSetting)
		}
		rows, err = several.QueryParts(ctx, fixed, about, value)
	} else {
		whole := "(" + strings.Join(parts, ")\nUNION ALL\n(") + ")"
		rows, err = server.Query(ctx, strings.ReplaceAll(whole, "$about", "$1::pg_catalog.text"), value)
	}
	if err != nil {
		return answers{}, fmt.Errorf("cannot read facts: %w", err)
	}
	return readAnswers(rows)
}

// words are lists of OIDs as they stand in the setting.
func words(lists [][]uint32) string {
	words := make([]string, len(lists))
	for i, list := range lists {
		words[i] = strings.ReplaceAll("{"+strings.Trim(fmt.Sprint(list), "[]")+"}", " ", ",")
	}
	return strings.Join(words, " ")
}

// careful is a part that opens no relation that some other backend holds or awaits in ACCESS EXCLUSIVE, hasty one that fails then.
func careful(part string) string { return strings.ReplaceAll(part, "$busy", busySQL) }

func hasty(part string) string { return strings.ReplaceAll(part, "$busy", "'{}'::pg_catalog.oid[]") }

// isLockTimeout reports whether a question had to wait for a lock: lock_not_available.
func isLockTimeout(err error) bool {
	var server interface{ SQLState() string }
	return errors.As(err, &server) && server.SQLState() == "55P03"
}

// askOne asks a question of one row that does not follow from resolve.sql.
func askOne(ctx context.Context, server Querier, part, parameter string) (answer string, err error) {
	var rows []string
	if several, ok := server.(PartsQuerier); ok {
		rows, err = several.QueryParts(ctx, []string{withSetting(part)}, asked, parameter)
	} else {
		rows, err = server.Query(ctx, part, parameter)
	}
	if err != nil {
		return "", fmt.Errorf("cannot read facts: %w", err)
	}
	if len(rows) != 1 {
		return "", fmt.Errorf("cannot read facts: %d rows instead of 1", len(rows))
	}
	return rows[0], nil
}

// withSetting is a part whose parameter is the setting.
func withSetting(part string) string {
	return strings.ReplaceAll(part, "$1::pg_catalog.text", "pg_catalog.current_setting('"+asked+"')")
}
