package proxy

import (
	"bytes"
	"math"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// matters decides, message by message and at line speed, what the session must see.
func (s *session) matters(kind byte, frame []byte) bool {
	s.refresh()
	if s.options.Mode == Transparent && s.backend.kept == nil {
		return false
	}
	if s.overstayed(kind, frame) {
		return true
	}
	if s.options.Mode == Transparent {
		return false
	}
	switch kind {
	case 'Q':
		return s.counted(frame == nil || s.owes() || s.saysMore(frame, frame[headerSize:], len(frame)) || s.careful() && reaching.Match(frame) || s.tells(kind, frame))
	case 'P':
		if frame == nil || s.owes() || s.untracked {
			return s.counted(true)
		}
		name, query, _ := cString(frame[headerSize:])
		return s.counted(s.prepared[key(name)] != nil || s.saysMore(frame, query, math.MaxInt) || name != "" && s.isCounted(query) || mentionsExecute(frame) || s.tells(kind, frame))
	case 'B', 'E', 'C':
		return s.careful() && (s.owes() || s.untracked || s.names(kind, frame))
	case 'S', 'F':
		return s.owes()
	}
	return false
}

// saysMore reports whether a text, and what stands around it in its frame, may hold more than harmless reads and writes. length is how long the arrays
// in it can be.
func (s *session) saysMore(frame, text []byte, length int) bool {
	concern := ddl.Prefilter(frame[headerSize:])
	s.wandering = s.wandering || concern&ddl.Path != 0
	if concern&ddl.Writes == 0 {
		return concern&ddl.Anything != 0
	}
	if end := bytes.IndexByte(text, 0); end >= 0 {
		text = text[:end]
	}
	if concern&ddl.Anything != 0 || s.altering {
		return true
	}
	few, most := s.passes(text)
	return !few || most > 0 && length > most
}

// names reports whether a Bind, Execute or Close is about something of concern, or may be. Of a Bind that is only so where its parameters are long, its
// length decides.
func (s *session) names(kind byte, frame []byte) bool {
	first, rest, ok := cString(frame[headerSize:])
	switch kind {
	case 'E':
		return !ok || s.portals[key(first)] != nil
	case 'B':
		second, _, ok2 := cString(rest)
		_, size, _ := frameAt(frame)
		from := s.prepared[key(second)]
		return !ok || !ok2 || s.portals[key(first)] != nil || from != nil && (size > from.most || !from.until.IsZero() && (s.wandering || !s.now().Before(from.until)))
	}
	return true
}

// counted counts a statement that passes unread.
func (s *session) counted(matters bool) bool {
	if !matters {
		s.link.passed.Add(1)
	}
	return matters
}

// careful is true while the client has, or may have, prepared something that a rule could care about, or this transaction owes work.
func (s *session) careful() bool {
	return len(s.prepared) > 0 || len(s.portals) > 0 || s.untracked || s.owes()
}
