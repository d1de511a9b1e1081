package proxy

import (
	"context"

	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	// mostPrepared is how many statements that a rule could care about a session may have prepared at once, mostPreparedText how many bytes of text. No tool or
	// pool comes near; a client that prepares for ever would have the proxy's memory grow with the server's.
	mostPrepared     = 10_000
	mostPreparedText = 64 << 20

	// tooMany is configuration_limit_exceeded.
	tooMany = "53400"
)

// roomFor reports whether a statement of so many bytes may be prepared. What the server has no more, because SQL has deallocated it, is forgotten when it
// would not fit otherwise. In mode observe there is always room: all is forgotten then.
func (s *session) roomFor(ctx context.Context, name string, size int) (bool, error) {
	if s.fits(name, size) || s.backend.TxStatus() == 'E' && !s.unsettled { // there the server prepares nothing
		return true, nil
	}
	if s.options.Mode != Enforce {
		clear(s.prepared)
		return true, nil
	}
	names, err := sheltered{s.backend}.Query(ctx, "SELECT p.name FROM pg_catalog.pg_prepared_statement() AS p")
	if err != nil {
		return false, err
	}
	there := map[string]bool{"": true}
	for _, name := range names {
		raw, err := s.backend.encoding.Encode(name)
		if err != nil {
			return false, nil // all that is known is that there are too many
		}
		there[string(raw)] = true
	}
	for name := range s.prepared {
		if !there[name] {
			delete(s.prepared, name)
		}
	}
	return s.fits(name, size), nil
}

// fits reports whether a statement of so many bytes fits among those that are prepared, if it takes the place of the one of its name.
func (s *session) fits(name string, size int) bool {
	if len(s.prepared) < s.mostPrepared && size+len(s.prepared)*s.options.InspectLimit <= mostPreparedText {
		return true
	}
	count := 1
	for other, p := range s.prepared {
		if other != key(name) {
			count, size = count+1, size+len(p.reading.text)
		}
	}
	return count <= s.mostPrepared && size <= mostPreparedText
}

// tooManyPrepared refuses one more.
func (s *session) tooManyPrepared() *pgproto3.ErrorResponse {
	return s.voice.report(tooMany, "pgsluice: close prepared statements first: this session has too many schema changes and writes prepared at once", "",
		"Close or DEALLOCATE what is not needed any more, or prepare by the unnamed statement.")
}

// foundHarmless remembers of a named statement whether a rule could care about it, as long as there is room: of what is not known the server is asked.
func (s *session) foundHarmless(name string, harmless bool) {
	if len(s.harmless) >= s.mostPrepared {
		clear(s.harmless)
	}
	s.harmless[key(name)] = harmless
}
