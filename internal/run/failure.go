package run

import "slices"

// SQLSTATEs that decide what happens next.
const (
	lockNotAvailable = "55P03"
	deadlockDetected = "40P01"
	queryCanceled    = "57014"
	invalidParameter = "22023"
	notFound         = "42704" // undefined_object

	insufficientPrivilege = "42501"
)

// Failure is a plan that pgsluice itself gave up, in the fields of a Postgres error. What the server refused is returned as it came.
type Failure struct {
	// Code is the SQLSTATE.
	Code string
	// Message is one line that names pgsluice and what to look at; Detail and Hint may be empty.
	Message, Detail, Hint string
	// Err is the server's error behind it; nil if there is none.
	Err error
}

func (f *Failure) Error() string { return f.Message }

// SQLState is the code.
func (f *Failure) SQLState() string { return f.Code }

// Unwrap is the server's error.
func (f *Failure) Unwrap() error { return f.Err }

// Retryable reports whether trying again later can cure err: a lock, a deadlock, a cancel, a server that went away or is short of
// something. Anything else that a server or pgsluice says is final.
func Retryable(err error) bool {
	code := SQLState(err)
	if code == "" {
		return err != nil // the connection is lost
	}
	if slices.Contains([]string{lockNotAvailable, deadlockDetected, "40001", queryCanceled, jobStopped, jobBusy}, code) {
		return true
	}
	class := code[:2]
	return class == "08" || class == "53" || code[:3] == "57P"
}
