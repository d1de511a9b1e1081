package proxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

const (
	minStartup = 8      // a length and a code
	maxStartup = 10_000 // MAX_STARTUP_PACKET_LENGTH
)

// startup is what a StartupMessage says, read as the server reads it.
type startup struct {
	user, database  string
	applicationName string
	options         string
	replication     string // "", "true" (physical, opaque) or "database"
	apart           bool   // it may find other tables by a name than the login's sessions do by default
	version         uint32 // protocol version that the client asked for: major<<16 | minor
	raw             []byte // the packet as it came; it goes to the server unchanged
}

// parseStartup reads a whole startup packet, length included. It accepts nothing that the server would understand in
// another way: of a name that comes twice the last value counts, but "database" for replication sticks.
func parseStartup(raw []byte) (startup, error) {
	if len(raw) < minStartup {
		return startup{}, errors.New("invalid length of startup packet")
	}
	s := startup{raw: raw, version: binary.BigEndian.Uint32(raw[4:])}
	if s.version>>16 != 3 {
		return startup{}, &fatal{
			code: "0A000",
			message: fmt.Sprintf("unsupported frontend protocol %d.%d: pgsluice supports 3.0 and the later minor versions that the server knows",
				s.version>>16, s.version&0xffff),
		}
	}
	var walsender, logical bool
	rest := raw[8:]
	for len(rest) > 0 && rest[0] != 0 {
		name, value, ok := "", "", false
		if name, rest, ok = cString(rest); ok {
			value, rest, ok = cString(rest)
		}
		if !ok {
			break
		}
		settings := name
		if name == "options" {
			settings = unescaped.Replace(value)
		}
		s.apart = s.apart || decidesNames(settings)
		switch name {
		case "user":
			s.user = value
		case "database":
			s.database = value
		case "application_name":
			s.applicationName = value
		case "options":
			s.options = value
		case "replication":
			if value == "database" {
				walsender, logical = true, true
			} else {
				walsender = parseBool(value)
			}
		}
	}
	if len(rest) != 1 || rest[0] != 0 {
		return startup{}, &fatal{code: "08P01", message: "invalid startup packet layout: expected terminator as last byte"}
	}
	switch {
	case walsender && logical:
		s.replication = "database"
	case walsender:
		s.replication = "true"
	}
	if s.database == "" {
		s.database = s.user
	}
	return s, nil
}

// decidesNames finds the settings that decide which tables are found by a name.
func decidesNames(settings string) bool {
	settings = strings.ToLower(settings)
	return strings.Contains(settings, "search_path") || strings.Contains(settings, "role") || strings.Contains(settings, "session_authorization")
}

// unescaped is how the server reads the text of options.
var unescaped = strings.NewReplacer(`\`, "", "-", "_")

// parseBool follows parse_bool of Postgres for what is true. What Postgres would not accept is false here: the server
// ends that connection itself.
func parseBool(v string) bool {
	v = strings.ToLower(v)
	return v == "on" || v == "1" || v != "" && (strings.HasPrefix("true", v) || strings.HasPrefix("yes", v))
}

// readStartup reads one packet of the kind that has no type byte. Its length is checked before anything depends on it.
func readStartup(l *leg) ([]byte, error) {
	if err := l.need(4); err != nil {
		return nil, fmt.Errorf("read length of startup packet: %w", err)
	}
	size := binary.BigEndian.Uint32(l.unread())
	if size < minStartup || size > maxStartup {
		return nil, fmt.Errorf("invalid length %d of startup packet", int32(size))
	}
	if err := l.need(int(size)); err != nil {
		return nil, fmt.Errorf("read startup packet: %w", err)
	}
	raw := bytes.Clone(l.unread()[:size])
	l.r += int(size)
	return raw, nil
}
