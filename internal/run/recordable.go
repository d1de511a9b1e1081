package run

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Recordable is what may be written down of an error, in a log or the ledger: the text that is given for it, or no more than the SQLSTATE where the server's
// message may quote a value: a row's, or a mistyped password's. What it says of names, locks and constraints holds none.
func Recordable(err error, text string) string {
	if code, quotes := mayQuote(err); quotes {
		return fmt.Sprintf("the server's message may hold data and is not recorded (SQLSTATE %s)", code)
	}
	return text
}

// mayQuote looks for an error of the server's within err whose message may quote a value, and returns its SQLSTATE.
func mayQuote(err error) (code string, quoting bool) {
	if ours, ok := err.(*Failure); ok && ours.Err == nil {
		return "", false
	}
	if server, ok := err.(interface{ SQLState() string }); ok {
		if _, ours := err.(*Failure); !ours && (quotes(server.SQLState()) || !fromServer(err)) {
			return server.SQLState(), true
		}
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range many.Unwrap() {
			if code, quoting := mayQuote(one); quoting {
				return code, true
			}
		}
		return "", false
	}
	if inner := errors.Unwrap(err); inner != nil {
		return mayQuote(inner)
	}
	return "", false
}

// quotes reports whether the server's messages of a SQLSTATE may quote more than names. Those that may not are listed: data exceptions, syntax errors, what
// RAISE says, and whatever an extension makes up are not among them.
func quotes(code string) bool {
	if len(code) != 5 || code == syntaxError {
		return true
	}
	return !slices.Contains([]string{"08", "0A", "21", "23", "25", "28", "2B", "3D", "3F", "40", "42", "53", "54", "55", "57", "PS"}, code[:2])
}

const syntaxError = "42601"

// serverFiles are the source files of the server itself, of majors 13 to 18, as its program names them. What is in a library (the procedural languages,
// extensions) is in none of them.
//
//go:embed server-files.txt
var serverFiles string

// fromServer reports whether the words of an error are the server's own. RAISE, and its like in every language, can give any SQLSTATE to any text; what
// tells it from the server's is the source file that an error comes with.
func fromServer(err error) bool {
	file := ""
	switch e := err.(type) {
	case *pgconn.PgError:
		file = e.File
	case interface{ SourceFile() string }:
		file = e.SourceFile()
	}
	return file != "" && slices.Contains(strings.Fields(serverFiles), file)
}
