package run

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// said is an error of the server.
type said struct{ code, message, file string }

func (e said) Error() string      { return "ERROR: " + e.message + " (SQLSTATE " + e.code + ")" }
func (e said) SQLState() string   { return e.code }
func (e said) SourceFile() string { return e.file }

func TestRecordableQuotesNoValue(t *testing.T) {
	data := said{"22P02", `invalid input syntax for type integer: "hunter2"`, "tablecmds.c"}
	for _, err := range []error{
		data, said{"42601", `syntax error at or near "hunter2"`, "tablecmds.c"}, said{"P0001", "hunter2", "tablecmds.c"}, said{"XX000", "hunter2", "tablecmds.c"}, said{"HV00D", `invalid option "hunter2"`, "tablecmds.c"}, said{"", "hunter2", "tablecmds.c"},
		fmt.Errorf("cannot read: %w", data), errors.Join(errors.New("first"), fmt.Errorf("second: %w", data)),
		said{"23505", "hunter2", "pl_exec.c"}, said{"23505", "hunter2", ""}, said{"42P01", "hunter2", "plpy_elog.c"},
		&Failure{Code: "22P02", Message: "pgsluice: hunter2; 5 rows are done", Err: data},
	} {
		if text := Recordable(err, err.Error()); strings.Contains(text, "hunter2") || !strings.Contains(text, "SQLSTATE") {
			t.Errorf("%v is recorded as %s", err, text)
		}
	}
	for _, err := range []error{
		said{"23505", `could not create unique index "i"`, "tablecmds.c"}, said{"55P03", "canceling statement due to lock timeout", "tablecmds.c"}, said{"42P07", `relation "t" already exists`, "tablecmds.c"},
		said{"28P01", `password authentication failed for user "pgsluice"`, "auth.c"}, said{"28000", `role "pgsluice" does not exist`, "miscinit.c"},
		errors.New("the connection is lost"), &Failure{Code: "22023", Message: "pgsluice: a message of ours"},
		&Failure{Code: "55P03", Message: "pgsluice: gave up", Err: said{"55P03", "canceling statement due to lock timeout", "tablecmds.c"}},
	} {
		if text := Recordable(err, err.Error()); text != err.Error() {
			t.Errorf("%v is recorded as %s", err, text)
		}
	}
}
