package main

import (
	"errors"
	"fmt"
	"io"
)

// What a person reads on stderr when a command fails is made of two kinds of line and nothing else:
//
//	error: what happened, in lower case, without a full stop
//	hint: what to type or to change
//
// One error has at most one hint. A wrong configuration prints all of its errors at once.

// usageError is a mistake in the command line.
type usageError struct {
	message string
	hint    string // "" for none
}

func (e *usageError) Error() string { return e.message }

// Hint says what to do about the error; "" for nothing.
func (e *usageError) Hint() string { return e.hint }

// failure is an error that met a running command, with what to do about it.
type failure struct {
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// Hint says what to do about the error.
func (f *failure) Hint() string { return f.hint }

// printError writes err as error and hint lines.
func printError(w io.Writer, err error) {
	var many configErrors
	if errors.As(err, &many) {
		for _, one := range many {
			printOneError(w, one)
		}
		return
	}
	printOneError(w, err)
}

func printOneError(w io.Writer, err error) {
	fmt.Fprintf(w, "error: %s\n", err)
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) && hinted.Hint() != "" {
		fmt.Fprintf(w, "hint: %s\n", hinted.Hint())
	}
}

// The exit status of a command that looks for faults tells those (1) from everything that kept it from looking (2). It has said itself what
// it found; nothing is printed for errFound and errUnread.
var (
	errFound  = errors.New("there are findings")
	errUnread = errors.New("something could not be read")
)

// notRun is the error of such a command that could not do its work.
type notRun struct{ error }

func (e *notRun) Unwrap() error { return e.error }
