package main

import (
	"fmt"
	"io"
)

// dsn is a connection string. It may hold a password, so every way of printing it hides it; string(d) is the way to use it.
type dsn string

const hidden = "(hidden)"

// Format prints "(hidden)" whatever the verb.
func (d dsn) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, hidden) // fmt offers no way to report an error
}

// MarshalText is what encoders and log handlers see: "(hidden)".
func (d dsn) MarshalText() ([]byte, error) { return []byte(hidden), nil }
