package ddl

import (
	"errors"
	"strings"
	"testing"
)

func TestFingerprintForgetsConstantsAndSpelling(t *testing.T) {
	fingerprint := func(text string) string {
		t.Helper()
		f, err := Fingerprint(text)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	one := fingerprint("DELETE FROM users WHERE id = 1")
	if other := fingerprint("delete /* x */ from USERS where id=42"); other != one {
		t.Errorf("%s and %s", one, other)
	}
	if other := fingerprint("DELETE FROM users WHERE name = 1"); other == one {
		t.Error("another column has the same fingerprint")
	}
	var syntax *SyntaxError
	if _, err := Fingerprint("DELETE FORM users"); !errors.As(err, &syntax) {
		t.Errorf("mistyped: %v", err)
	}
	if _, err := Fingerprint("SELECT " + strings.Repeat("- ", 5000) + "1"); !errors.Is(err, ErrTooComplex) {
		t.Errorf("too deep: %v", err)
	}
	if _, err := Fingerprint("SELECT '\xff'"); !errors.Is(err, ErrEncoding) {
		t.Errorf("not UTF-8: %v", err)
	}
}
