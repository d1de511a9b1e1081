package ddl

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxRecorded bounds what is recorded of a statement, in bytes.
const maxRecorded = 4 << 10

// hidden takes the place of a literal that is not recorded.
const hidden = "'…'"

// Redact is the statement's text as it may be recorded, without its comments. Kinds of statements whose literals are part of a schema (indexes, tables,
// constraints, types, …) keep them, but those that look like a secret. Of everything else the string literals are hidden, of rows and calls the numbers, too, and of a setting its value:
// passwords of roles, connection strings, trigger arguments, function bodies and rows never enter a record. It is cut at 4 KiB.
func Redact(s Statement) string {
	if _, unparsed := s.Action.(Unparsed); unparsed {
		return RedactUnparsed(s.Text, nil)
	}
	if holdsNoSecret(s) {
		return cut(withoutComments(hideKeys(s.Text)))
	}
	return cut(hideLiterals(s))
}

// withoutComments is a statement's text with each comment taken out, or a space in its place where that parts two words.
func withoutComments(text string) string {
	out, copied := "", 0
	scan(text, false, func(t token) {
		out += text[copied:t.start]
		copied = t.end
		switch {
		case t.end == len(text) || isSpace(text[t.end]):
			out = strings.TrimRight(out, " \t")
		case !strings.HasSuffix(out, " "):
			out += " "
		}
	})
	return out + text[copied:]
}

// RedactText is Redact of a text that nobody has parsed, statement by statement.
func RedactText(text string, key []byte) string {
	statements, err := Parse(text)
	if strings.TrimSpace(text) == "" {
		return ""
	}
	if err != nil || len(statements) == 0 {
		return RedactUnparsed(text, key)
	}
	records := make([]string, len(statements))
	for i, s := range statements {
		records[i] = Redact(s)
	}
	return strings.Join(records, "; ")
}

// Shown is the statement as a message to its client may repeat it: its own text, but of a kind that may hold a password as it is recorded. What a program
// is told ends up in its log.
func Shown(s Statement) string {
	switch s.Action.(type) {
	case Write, Query:
		return s.Text
	}
	if holdsNoSecret(s) {
		return s.Text
	}
	return Redact(s)
}

// holdsNoSecret reports whether the statement is of a kind whose literals may be recorded.
func holdsNoSecret(s Statement) bool {
	switch action := s.Action.(type) {
	case CreateIndex, Drop, LockTable:
		return true
	case CreateTable:
		return s.Tag == "CREATE TABLE" && !action.As
	case AlterTable:
		for _, command := range action.Commands {
			if command.Op == "GenericOptions" || command.Op == "AlterColumnGenericOptions" {
				return false
			}
		}
		return true
	}
	switch s.Tag {
	case "TRUNCATE TABLE", "REINDEX", "CLUSTER", "VACUUM", "ANALYZE", "REFRESH MATERIALIZED VIEW", "CREATE SEQUENCE",
		"ALTER SEQUENCE", "CREATE TYPE", "ALTER TYPE", "CREATE DOMAIN", "ALTER DOMAIN", "CREATE STATISTICS", "ALTER STATISTICS", "GRANT",
		"REVOKE", "GRANT ROLE", "REVOKE ROLE", "REASSIGN OWNED", "DROP OWNED", "CREATE EXTENSION":
		return true
	}
	return false
}

// setsValue reports whether the statement may set a configuration parameter, whose value may be a bare word.
func setsValue(s Statement) bool {
	switch s.Tag {
	case "SET", "ALTER ROLE", "ALTER DATABASE", "ALTER SYSTEM", "CREATE FUNCTION", "CREATE PROCEDURE", "ALTER FUNCTION", "ALTER PROCEDURE", "ALTER ROUTINE":
		return true
	}
	return false
}

// isOfRows reports whether the numbers in a statement are somebody's data.
func isOfRows(s Statement) bool {
	switch s.Action.(type) {
	case Write, Query:
		return true
	}
	return s.Tag == "CALL" || s.Tag == "EXECUTE"
}

// hideLiterals copies the text without its comments, with every string literal hidden, and what SET sets.
func hideLiterals(s Statement) string {
	var out strings.Builder
	copied, setting := 0, false
	for scan := (scanner{text: s.Text}); ; {
		t := scan.next()
		out.WriteString(s.Text[copied:t.start])
		copied = t.end
		word := s.Text[t.start:t.end]
		switch t.kind {
		case endToken:
			return out.String()
		case commentToken:
			out.WriteByte(' ')
		case stringToken, escapeToken, dollarToken, brokenToken:
			out.WriteString(hidden)
		case numberToken:
			if isOfRows(s) {
				word = "…"
			}
			out.WriteString(word)
		default:
			out.WriteString(word)
			setting = setting || setsValue(s) && strings.EqualFold(word, "SET")
			if setting && (word == "=" || strings.EqualFold(word, "TO")) {
				out.WriteString(" …")
				return out.String()
			}
		}
	}
}

// RedactUnparsed is what may be recorded of text that did not parse whole, of which nobody knows what is a secret: its first word if that is
// one that begins a statement, its length, and a hash under the key, so that equal texts can be told. Without a key there is no hash.
func RedactUnparsed(text string, key []byte) string {
	if len(key) == 0 {
		return RedactBeginning(text, len(text))
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return fmt.Sprintf("%s … (%d bytes, hash %x)", verbOf(text), len(text), mac.Sum(nil)[:8])
}

// RedactBeginning is what may be written down of a text of so many bytes of which only the beginning is known: the word that it begins with, and its size.
func RedactBeginning(beginning string, size int) string {
	return fmt.Sprintf("%s … (%d bytes)", verbOf(beginning), size)
}

// verbOf is the word that a statement begins with, "text" if none does that begins one.
func verbOf(text string) string {
	first := (&scanner{text: text})
	t := first.next()
	for t.kind == commentToken {
		t = first.next()
	}
	verb := strings.ToUpper(text[t.start:t.end])
	if t.kind != wordToken || !verbs[verb] {
		return "text"
	}
	return verb
}

// verbs are the words that begin a statement.
var verbs = wordSet(`ABORT ALTER ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE DISCARD DO DROP
	END EXECUTE EXPLAIN FETCH GRANT IMPORT INSERT LISTEN LOAD LOCK MERGE MOVE NOTIFY PREPARE REASSIGN REFRESH REINDEX RELEASE REPACK RESET
	REVOKE ROLLBACK SAVEPOINT SECURITY SELECT SET SHOW START TABLE TRUNCATE UNLISTEN UPDATE VACUUM VALUES WITH`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(words) {
		set[word] = true
	}
	return set
}

// cut ends text that is too long at a whole character.
func cut(text string) string {
	if len(text) <= maxRecorded {
		return text
	}
	end := maxRecorded
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
