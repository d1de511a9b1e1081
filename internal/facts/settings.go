package facts

// Setting is a setting of a session.
type Setting struct {
	Value string `json:"value"`
	// Changed is true when it is not what the session began with, as any other session of the login in the database would.
	Changed bool `json:"changed"`
	// Privileged is true when not everybody may set it.
	Privileged bool `json:"privileged"`
}

// WriteSettings names the settings beside those of Environment that can change what an UPDATE or DELETE does: how values are read and written as text, how
// words are found in a text, which rows a policy or an index lets be seen, which triggers fire. A bulk write that is run later, or gone on with by another
// session, runs under the values that they had when it was sent.
func WriteSettings() []string {
	return []string{
		"array_nulls", "backslash_quote", "bytea_output", "default_text_search_config", "extra_float_digits", "gin_fuzzy_search_limit",
		"lc_monetary", "lc_numeric", "lc_time", "quote_all_identifiers", "row_security", "session_replication_role", "timezone_abbreviations",
		"transform_null_equals", "xmlbinary", "xmloption",
	}
}
