package proxy

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/jackc/pgx/v5/pgproto3"
)

// firstUserOID is FirstNormalObjectId of Postgres: smaller OIDs are the same in every database.
const firstUserOID = 16384

// shownWhole is the size up to which a message is shown as JSON; of a longer one its size and hash are.
const shownWhole = 2000

// message is one message of the server, as it came.
type message struct {
	kind byte
	body []byte
}

// clientMessages are the messages that a case may write as a name and JSON.
func clientMessages() map[string]pgproto3.FrontendMessage {
	byName := map[string]pgproto3.FrontendMessage{}
	for _, m := range []pgproto3.FrontendMessage{
		&pgproto3.Query{}, &pgproto3.Parse{}, &pgproto3.Bind{}, &pgproto3.Describe{}, &pgproto3.Execute{}, &pgproto3.Close{},
		&pgproto3.Flush{}, &pgproto3.Sync{}, &pgproto3.FunctionCall{}, &pgproto3.CopyData{}, &pgproto3.CopyDone{},
		&pgproto3.CopyFail{}, &pgproto3.Terminate{},
	} {
		byName[nameOf(m)] = m
	}
	return byName
}

func nameOf(m pgproto3.Message) string { return reflect.TypeOf(m).Elem().Name() }

// encodeLines turns the input of a send directive into bytes. Each line is one of
//
//	Query {"String": "SELECT 1"}    a message as pgproto3 writes it
//	Frame Q "SELECT '\xe9'" 00      a type, its length supplied, and a body of hexadecimal digits and Go strings
//	Raw 51 ffffffff                 bytes as they are
func encodeLines(t testing.TB, text string) []byte {
	t.Helper()
	var out []byte
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch name {
		case "":
		case "Raw":
			out = append(out, decodeTokens(t, rest)...)
		case "Frame":
			kind, body, _ := strings.Cut(rest, " ")
			out = append(out, frameOf(kind[0], decodeTokens(t, body))...)
		default:
			m, ok := clientMessages()[name]
			if !ok {
				t.Fatalf("there is no client message %q", name)
			}
			if rest != "" {
				decoder := json.NewDecoder(strings.NewReader(rest))
				decoder.DisallowUnknownFields()
				if err := decoder.Decode(m); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
			}
			var err error
			if out, err = m.Encode(out); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
	}
	return out
}

var token = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\S+`)

// decodeTokens turns hexadecimal digits and Go strings into bytes.
func decodeTokens(t testing.TB, text string) []byte {
	t.Helper()
	var out []byte
	for _, word := range token.FindAllString(text, -1) {
		if word[0] == '"' {
			s, err := strconv.Unquote(word)
			if err != nil {
				t.Fatalf("%s: %v", word, err)
			}
			out = append(out, s...)
			continue
		}
		b, err := hex.DecodeString(word)
		if err != nil {
			t.Fatalf("%s: %v", word, err)
		}
		out = append(out, b...)
	}
	return out
}

// expand runs a case's text as a template. Beside text/template's own it has {{repeat "x" 100}}, {{series 1 100 "$%d"}} (joined
// by commas), {{range list 100}}, {{range seq 5 9}}, {{minus 9 5}}, {{pid "conn"}} and {{database}}.
func expand(t testing.TB, text string, w *world) string {
	t.Helper()
	if !strings.Contains(text, "{{") {
		return text
	}
	var out strings.Builder
	err := template.Must(template.New("").Funcs(template.FuncMap{
		"repeat": func(s string, n int) string { return strings.Repeat(s, n) },
		"series": func(from, to int, format string) string {
			parts := make([]string, 0, to-from+1)
			for i := from; i <= to; i++ {
				parts = append(parts, strings.ReplaceAll(format, "%d", strconv.Itoa(i)))
			}
			return strings.Join(parts, ",")
		},
		"seq":      seq,
		"list":     func(n int) []int { return seq(1, n) },
		"minus":    func(a, b int) int { return a - b },
		"pid":      func(name string) uint32 { return w.conn(t, name).pid },
		"database": func() string { return w.database },
	}).Parse(text)).Execute(&out, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func seq(from, to int) []int {
	numbers := make([]int, 0, to-from+1)
	for n := from; n <= to; n++ {
		numbers = append(numbers, n)
	}
	return numbers
}

// steady returns a message with everything in it that differs between two runs of the same case made equal:
//   - process ids and cancel keys,
//   - OIDs of users' objects, which become numbers in the order in which they appear.
func (w *world) steady(m message) message {
	body := bytes.Clone(m.body)
	number := func(at int) {
		if oid := binary.BigEndian.Uint32(body[at:]); oid >= firstUserOID {
			if _, seen := w.oids[oid]; !seen {
				w.oids[oid] = uint32(firstUserOID + len(w.oids))
			}
			binary.BigEndian.PutUint32(body[at:], w.oids[oid])
		}
	}
	switch m.kind {
	case 'K':
		clear(body)
	case 'A':
		clear(body[:4])
	case 't':
		for at := 2; at+4 <= len(body); at += 4 {
			number(at)
		}
	case 'T':
		for at := 2; at < len(body); {
			at += bytes.IndexByte(body[at:], 0) + 1
			number(at)
			number(at + 6)
			at += 18
		}
	}
	return message{m.kind, body}
}

// sameButSource reports whether two messages differ in nothing but the place in the server's source that errors name.
func sameButSource(a, b message) bool {
	return a.kind == b.kind && bytes.Equal(withoutSource(a), withoutSource(b))
}

func withoutSource(m message) []byte {
	if m.kind != 'E' && m.kind != 'N' {
		return m.body
	}
	var kept []byte
	for _, field := range bytes.SplitAfter(m.body, []byte{0}) {
		if len(field) > 1 && bytes.IndexByte([]byte("FLR"), field[0]) >= 0 {
			continue
		}
		kept = append(kept, field...)
	}
	return kept
}

// show prints a message of the server as its name and JSON.
func show(m message) string {
	if len(m.body) > shownWhole {
		return fmt.Sprintf("Frame %c %d bytes, SHA-256 %.6x", m.kind, len(m.body), sha256.Sum256(m.body))
	}
	frame := frameOf(m.kind, m.body)
	decoded, err := pgproto3.NewFrontend(bytes.NewReader(frame), nil).Receive()
	if err != nil {
		return fmt.Sprintf("Frame %c %x", m.kind, m.body)
	}
	return asText(decoded)
}

// longNumber is one that may differ from run to run: an OID, a process id, a timestamp.
var longNumber = regexp.MustCompile(`\b\d{5,}\b`)

// showSent prints a message to the server in the same way, texts cut short.
func showSent(m message) string {
	for _, decoded := range clientMessages() {
		if decoded.Decode(bytes.Clone(m.body)) != nil {
			continue
		}
		if again, err := decoded.Encode(nil); err == nil && bytes.Equal(again, frameOf(m.kind, m.body)) {
			switch m := decoded.(type) {
			case *pgproto3.Query:
				m.String = cutShort(m.String)
			case *pgproto3.Parse:
				m.Query = cutShort(m.Query)
			}
			return asText(decoded)
		}
	}
	return fmt.Sprintf("Frame %c %d bytes", m.kind, len(m.body))
}

// cutShort leaves of a text what identifies it.
func cutShort(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 100 {
		return text[:100] + "…"
	}
	return text
}

// asText prints what a message holds: fields that are empty are left out, and the place in the server's source.
func asText(m pgproto3.Message) string {
	encoded, err := json.Marshal(m)
	if err != nil {
		return fmt.Sprintf("%s %v", nameOf(m), err)
	}
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil {
		return fmt.Sprintf("%s %v", nameOf(m), err)
	}
	if copied, ok := m.(*pgproto3.CopyData); ok {
		fields["Data"] = string(copied.Data)
	}
	if fields["SeverityUnlocalized"] == fields["Severity"] {
		delete(fields, "SeverityUnlocalized")
	}
	for _, name := range []string{"Type", "File", "Line", "Routine"} {
		delete(fields, name)
	}
	withoutEmpty(fields)
	if len(fields) == 0 {
		return nameOf(m)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(fields); err != nil {
		return fmt.Sprintf("%s %v", nameOf(m), err)
	}
	return nameOf(m) + " " + strings.TrimSpace(out.String())
}

func withoutEmpty(value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, v := range value {
			withoutEmpty(v)
			switch fmt.Sprintf("%T %[1]v", v) {
			case "string ", "json.Number 0", "<nil> <nil>", "[]interface {} []", "map[string]interface {} map[]":
				delete(value, name)
			}
		}
	case []any:
		for _, v := range value {
			withoutEmpty(v)
		}
	}
}

// kindOf is the type byte of a server's message by name, 0 for an unknown name.
func kindOf(name string) byte {
	return map[string]byte{
		"AuthenticationOk": 'R', "BackendKeyData": 'K', "BindComplete": '2', "CloseComplete": '3', "CommandComplete": 'C',
		"CopyBothResponse": 'W', "CopyData": 'd', "CopyDone": 'c', "CopyInResponse": 'G', "CopyOutResponse": 'H',
		"DataRow": 'D', "EmptyQueryResponse": 'I', "ErrorResponse": 'E', "FunctionCallResponse": 'V',
		"NegotiateProtocolVersion": 'v', "NoData": 'n', "NoticeResponse": 'N', "NotificationResponse": 'A',
		"ParameterDescription": 't', "ParameterStatus": 'S', "ParseComplete": '1', "PortalSuspended": 's',
		"ReadyForQuery": 'Z', "RowDescription": 'T',
	}[name]
}
