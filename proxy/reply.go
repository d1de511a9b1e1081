package proxy

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/policy"
)

// SQLSTATEs of ours. Never a code of the server's classes: frameworks replay or reword 08, 23, 25, 40 and 57.
const (
	// codeCommittedNotFinished is the error of a COMMIT that took effect while promised work failed for good.
	codeCommittedNotFinished = "PS001"
	// codeRefused is a statement that a rule, or work promised earlier, does not let through.
	codeRefused = "PS010"
)

// voice writes the session's own messages to the client, in the client's encoding. The last CommandComplete is kept back
// until something follows it: work that is due before it may still fail.
type voice struct {
	backend *backend
	held    []byte
}

// say writes messages, after the CommandComplete that was kept back.
func (v *voice) say(messages ...pgproto3.BackendMessage) error {
	out := v.held
	v.held = nil
	for _, m := range messages {
		var err error
		if out, err = m.Encode(out); err != nil {
			return fmt.Errorf("cannot encode a reply: %w", err)
		}
	}
	if len(out) == 0 {
		return nil
	}
	if _, err := v.backend.link.client.conn.Write(out); err != nil {
		return errClientGone
	}
	return nil
}

// complete answers the current statement as done; the message goes out with the next one.
func (v *voice) complete(tag string) error {
	if err := v.say(); err != nil {
		return err
	}
	var err error
	v.held, err = (&pgproto3.CommandComplete{CommandTag: []byte(tag)}).Encode(nil)
	return err
}

// withdraw forgets the CommandComplete that was kept back: an error takes its place.
func (v *voice) withdraw() { v.held = nil }

// notice tells the client something between statements; it never takes the place of an answer.
func (v *voice) notice(severity, code, message, detail, hint string) error {
	n := pgproto3.NoticeResponse{
		Severity: severity, SeverityUnlocalized: severity, Code: code,
		Message: v.encode(message), Detail: v.encode(detail), Hint: v.encode(hint),
	}
	out, err := n.Encode(nil)
	if err != nil {
		return fmt.Errorf("cannot encode a notice: %w", err)
	}
	if _, err := v.backend.link.client.conn.Write(out); err != nil {
		return errClientGone
	}
	return nil
}

// encode turns text of ours into the client's encoding; what that encoding lacks is written as "?".
func (v *voice) encode(text string) string {
	if raw, err := v.backend.encoding.Encode(text); err == nil {
		return string(raw)
	}
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf {
			return r
		}
		return '?'
	}, text)
}

// report is an ErrorResponse of ours.
func (v *voice) report(code, message, detail, hint string) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{
		Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: code,
		Message: v.encode(message), Detail: v.encode(detail), Hint: v.encode(hint),
	}
}

// refusal is the ErrorResponse of a blocking verdict: its first line says what to do, and what is wrong with the override, since half of
// the tools print no other.
func (v *voice) refusal(verdict policy.Verdict) *pgproto3.ErrorResponse {
	for _, f := range verdict.Findings {
		if f.Action == policy.Block {
			message := f.Message
			for _, remark := range verdict.Remarks {
				message += " (" + remark + ")"
			}
			return v.report(cmp.Or(f.Code, codeRefused), fmt.Sprintf("pgsluice: %s [%s]", message, f.Rule), verdict.DetailOf(f), f.Hint)
		}
	}
	return v.report(codeRefused, "pgsluice: the statement is refused", "", "")
}

// shifted is the server's error about a piece of the client's text, its position moved to where it stands in the whole.
func (at occasion) shifted(e pgproto3.ErrorResponse, before string) *pgproto3.ErrorResponse {
	if e.Position > 0 {
		e.Position = at.escaped.Position(e.Position + int32(utf8.RuneCountInString(before)))
	}
	return &e
}

// unplaced is the server's error about a text of ours, without what only makes sense for that text.
func unplaced(e pgproto3.ErrorResponse) *pgproto3.ErrorResponse {
	e.Position, e.InternalPosition, e.InternalQuery, e.Where = 0, 0, "", ""
	return &e
}

// frameOf rebuilds a message from its type and body.
func frameOf(kind byte, body []byte) []byte {
	size := len(body) + 4
	frame := append(make([]byte, 0, len(body)+headerSize), kind, byte(size>>24), byte(size>>16), byte(size>>8), byte(size))
	return append(frame, body...)
}
