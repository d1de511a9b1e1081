package run

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// said is an error of the server.
type said struct{ code, message string }

func (e said) Error() string    { return "ERROR: " + e.message + " (SQLSTATE " + e.code + ")" }
func (e said) SQLState() string { return e.code }

func TestRecordableQuotesNoValue(t *testing.T) {
	data := said{"22P02", `invalid input syntax for type integer: "hunter2"`}
	for _, err := range []error{
		data, said{"42601", `syntax error at or near "hunter2"`}, said{"P0001", "hunter2"}, said{"XX000", "hunter2"}, said{"HV00D", `invalid option "hunter2"`}, said{"", "hunter2"},
		fmt.Errorf("cannot read: %w", data), errors.Join(errors.New("first"), fmt.Errorf("second: %w", data)),
		&Failure{Code: "22P02", Message: "pgsluice: hunter2; 5 rows are done", Err: data},
	} {
		if text := Recordable(err, err.Error()); strings.Contains(text, "hunter2") || !strings.Contains(text, "SQLSTATE") {
			t.Errorf("%v is recorded as %s", err, text)
		}
	}
	for _, err := range []error{
		said{"23505", `could not create unique index "i"`}, said{"55P03", "canceling statement due to lock timeout"}, said{"42P07", `relation "t" already exists`},
		errors.New("the connection is lost"), &Failure{Code: "22023", Message: "pgsluice: a message of ours"},
		&Failure{Code: "55P03", Message: "pgsluice: gave up", Err: said{"55P03", "canceling statement due to lock timeout"}},
	} {
		if text := Recordable(err, err.Error()); text != err.Error() {
			t.Errorf("%v is recorded as %s", err, text)
		}
	}
}
