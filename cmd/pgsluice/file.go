package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseFile reads YAML into assignments, one for each value. It knows YAML and no keys; name is the file's, for messages.
//
// Why not the library's own strict decoder: it stops at the first error, has no position for the errors of our own types,
// takes 1.5 for the integer 1 and 5 for five nanoseconds, and prints the lines around an error, a password among them.
// Its parser is used as it is.
func parseFile(name string, text []byte) ([]assignment, error) {
	f := yamlFile{name: name, lines: strings.Split(string(text), "\n")}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		var syntax yaml.Error
		if !errors.As(err, &syntax) {
			return nil, configErrors{{origin: name, message: "is not YAML: " + err.Error()}}
		}
		return nil, configErrors{{origin: f.at(syntax.GetToken()), message: syntax.GetMessage()}}
	}
	for i, document := range file.Docs {
		if i > 0 {
			f.fail(document.GetToken(), "", "a configuration is one YAML document")
			break
		}
		if document.Body != nil {
			f.section("", document.Body)
		}
	}
	return f.assignments, f.errors.orNil()
}

type yamlFile struct {
	name        string
	lines       []string
	assignments []assignment
	errors      configErrors
}

func (f *yamlFile) at(t *token.Token) string {
	return fmt.Sprintf("%s:%d:%d", f.name, t.Position.Line, t.Position.Column)
}

func (f *yamlFile) fail(t *token.Token, path, message string) {
	f.errors = append(f.errors, &keyError{key: path, origin: f.at(t), message: message})
}

// section collects the values of the mapping node under path.
func (f *yamlFile) section(path string, node ast.Node) {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		f.fail(node.GetToken(), path, "must be KEY: VALUE lines")
		return
	}
	for _, entry := range mapping.Values {
		at := entry.Key.GetToken()
		name := at.Value
		if strings.Contains(name, ".") {
			name = strconv.Quote(name) // sections are nested, lock.timeout is no key of a file
		}
		if path != "" {
			name = path + "." + name
		}
		f.value(name, at, entry.Value)
	}
}

func (f *yamlFile) value(path string, at *token.Token, node ast.Node) {
	a := assignment{path: path, origin: f.at(at)}
	switch n := node.(type) {
	case *ast.NullNode:
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			f.section(path, n)
			return
		}
	case *ast.SequenceNode:
		var ok bool
		if a.value, a.items, ok = f.list(path, n); !ok {
			return
		}
	default:
		text, ok := scalar(node)
		if !ok {
			f.fail(node.GetToken(), path, "must be a plain value; anchors, aliases and tags are not read")
			return
		}
		a.value, a.text = text, f.textOf(node, text)
	}
	f.assignments = append(f.assignments, a)
}

// list returns the items of a sequence, nil for an empty one, and where each stands: a []string, or a []section if they are mappings.
func (f *yamlFile) list(path string, node *ast.SequenceNode) (value any, origins []string, ok bool) {
	var items []string
	var sections []section
	for i, item := range node.Values {
		origins = append(origins, f.at(item.GetToken()))
		if _, isMapping := item.(*ast.MappingNode); isMapping && len(items) == 0 {
			origins[i] = f.at(item.(*ast.MappingNode).Values[0].Key.GetToken())
			inside := yamlFile{name: f.name, lines: f.lines}
			inside.section(fmt.Sprintf("%s[%d]", path, i), item)
			f.errors = append(f.errors, inside.errors...)
			sections = append(sections, inside.assignments)
			continue
		}
		text, ok := scalar(item)
		if !ok || len(sections) > 0 {
			f.fail(item.GetToken(), path, "must be a list of plain values, or of sections")
			return nil, nil, false
		}
		items = append(items, text)
	}
	if len(sections) > 0 {
		return sections, origins, true
	}
	return items, origins, true
}

// textOf is where the characters of a text stand in the file: of one on one line without escapes, and of a block whose lines are kept.
func (f *yamlFile) textOf(node ast.Node, text string) place {
	at := node.GetToken().Position
	line, column := at.Line, at.Column
	if literal, ok := node.(*ast.LiteralNode); ok {
		if literal.Start.Value[0] != '|' || line >= len(f.lines) {
			return place{}
		}
		first := f.lines[line]
		text, _, _ = strings.Cut(text, "\n")
		line, column = line+1, len(first)-len(strings.TrimLeft(first, " "))+1
	} else if quoted := node.GetToken().Type; quoted == token.SingleQuoteType || quoted == token.DoubleQuoteType {
		column++
	}
	written := []rune(f.lines[line-1])
	if column > len(written) || !strings.HasPrefix(string(written[column-1:]), text) {
		return place{}
	}
	return place{f.name, line, column}
}

// scalar is the text of a plain, quoted or block value.
func scalar(node ast.Node) (text string, ok bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}
