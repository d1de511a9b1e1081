package ddl

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Edit replaces Delete bytes at Offset by Insert.
type Edit struct {
	Offset, Delete int
	Insert         string
}

// Splice applies the edits to the text. They must not overlap; two at one offset apply in the order given.
func Splice(text string, edits ...Edit) string {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return a.Offset - b.Offset })
	var out strings.Builder
	at := 0
	for _, e := range edits {
		out.WriteString(text[at:e.Offset])
		out.WriteString(e.Insert)
		at = e.Offset + e.Delete
	}
	out.WriteString(text[at:])
	return out.String()
}

// errNoSplice is returned for a statement whose text is not the client's.
var errNoSplice = errors.New("cannot rewrite a statement whose string literals were read in two ways")

// verified splices the edits into the statement's text, parses the outcome again, and returns it only if its tree is the
// statement's own tree with the change applied to it.
func verified(s Statement, change func(root *pgquery.Node), edits ...Edit) (string, error) {
	if s.NoSplice {
		return "", errNoSplice
	}
	want, err := parseOne(s.Text)
	if err != nil {
		return "", fmt.Errorf("cannot parse the statement again: %w", err)
	}
	change(want)
	text := Splice(s.Text, edits...)
	got, err := parseOne(text)
	if err != nil {
		return "", fmt.Errorf("cannot parse the rewritten statement: %w", err)
	}
	if !sameTree(want, got) {
		return "", fmt.Errorf("rewritten statement would not mean what was intended: %s", text)
	}
	return text, nil
}

// sameTree compares two trees, but for where things stand in their texts.
func sameTree(a, b proto.Message) bool {
	forgetLocations(a.ProtoReflect())
	forgetLocations(b.ProtoReflect())
	return proto.Equal(a, b)
}

// forgetLocations clears what a tree says about places in its text.
func forgetLocations(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Kind() != protoreflect.MessageKind:
			if name := field.Name(); name == "location" || name == "stmt_location" || name == "stmt_len" {
				m.Clear(field)
			}
		case field.IsList():
			for i, list := 0, value.List(); i < list.Len(); i++ {
				forgetLocations(list.Get(i).Message())
			}
		default:
			forgetLocations(value.Message())
		}
		return true
	})
}

// nameNodes is a qualified name as the tree holds it.
func nameNodes(words ...string) []*pgquery.Node {
	var list []*pgquery.Node
	for _, word := range words {
		list = append(list, pgquery.MakeStrNode(word))
	}
	return list
}

// quoted is an identifier in quotes, so that it is read as it is.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
