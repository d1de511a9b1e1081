package proxy

import "github.com/jackc/pgx/v5/pgproto3"

// fatal is an error that ends a connection and that its client is told, in the form of Postgres.
type fatal struct {
	code                  string // SQLSTATE
	message, detail, hint string
}

func (f *fatal) Error() string {
	if f.detail == "" {
		return f.message
	}
	return f.message + ": " + f.detail
}

// encode returns the ErrorResponse.
func (f *fatal) encode() []byte {
	response := pgproto3.ErrorResponse{
		Severity: "FATAL", SeverityUnlocalized: "FATAL",
		Code: f.code, Message: f.message, Detail: f.detail, Hint: f.hint,
	}
	encoded, err := response.Encode(nil)
	if err != nil {
		return nil // over a gigabyte of our own text: there is nothing left to say
	}
	return encoded
}
