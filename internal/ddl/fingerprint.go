package ddl

import pgquery "github.com/pganalyze/pg_query_go/v5"

// Fingerprint is the same for statements that differ in constants, comments and spelling only. The errors are those of Parse.
func Fingerprint(text string) (string, error) {
	_, known, _, err := parseRaw(text)
	if err != nil {
		return "", err
	}
	fingerprint, err := pgquery.Fingerprint(known)
	if err != nil {
		return "", parseError(text, err)
	}
	return fingerprint, nil
}
