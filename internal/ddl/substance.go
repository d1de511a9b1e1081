package ddl

import "strings"

// Substance is what a checksum of a statement is made of, so that two that do something else have another: it is not cut, and has more of the text than
// Redact. What the catalog tells everybody (the body of a function, a view's query, a comment) it has whole. It has no passwords and no rows, a DO block is
// read without its literals, and nobody is to see it as it is.
func Substance(s Statement) string {
	switch action := s.Action.(type) {
	case Unparsed:
		return Redact(s)
	case Opaque:
		parts := []string{hideLiterals(s)}
		for _, part := range bodyParts(action.Body) {
			parts = append(parts, hideLiterals(Statement{Text: part, Tag: "SET"})) // any of them may set something
		}
		s.Walk(func(inner Inner) {
			if inner.Dynamic {
				parts = append(parts, Substance(inner.Statement))
			}
		})
		return strings.Join(parts, "\n")
	}
	if holdsNoSecret(s) || isInCatalog(s) {
		return withoutComments(s.Text)
	}
	return hideLiterals(s)
}

// bodyParts are the parts of a body between its semicolons.
func bodyParts(body string) (parts []string) {
	from := 0
	for scan := (scanner{text: body}); ; {
		switch t := scan.next(); {
		case t.kind == endToken:
			return append(parts, body[from:])
		case body[t.start:t.end] == ";":
			parts, from = append(parts, body[from:t.start]), t.end
		}
	}
}

// isInCatalog reports whether the server shows everybody the statement's literals once it has run.
func isInCatalog(s Statement) bool {
	switch s.Tag {
	case "CREATE FUNCTION", "CREATE PROCEDURE", "CREATE AGGREGATE", "CREATE VIEW", "CREATE MATERIALIZED VIEW", "CREATE TRIGGER", "CREATE EVENT TRIGGER",
		"CREATE RULE", "CREATE POLICY", "ALTER POLICY", "CREATE SCHEMA", "COMMENT", "SECURITY LABEL":
		return true
	}
	return false
}
